import { DEVICE_AUTHORIZATION_PATH, DEVICE_CODE_GRANT_TYPE, OAUTH_TOKEN_PATH } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { oauthError, postForm } from './support/device.ts'

test.for([
  ['no client', {}, 400, 'invalid_request'],
  ['an empty client', { client_id: '' }, 400, 'invalid_request'],
  ['another client', { client_id: 'somebody' }, 401, 'invalid_client'],
  ['no grant type', { client_id: 'daisi-host' }, 400, 'invalid_request'],
  [
    'another grant type',
    { client_id: 'daisi-host', grant_type: 'authorization_code' },
    400,
    'unsupported_grant_type',
  ],
  ['no code', { client_id: 'daisi-host', grant_type: DEVICE_CODE_GRANT_TYPE }, 400, 'invalid_request'],
] as const)('the token endpoint refuses %s', async ([, fields, status, code]) => {
  const response = await postForm(OAUTH_TOKEN_PATH, fields)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(await oauthError(response)).toEqual([status, code])
})

const ID = 'A'.repeat(43)

test.for([
  ['no host', 'client_id=daisi-host'],
  ['a host that is no thumbprint', 'client_id=daisi-host&host_id=me'],
  ['a name that is too long', `client_id=daisi-host&host_id=${ID}&host_name=${'x'.repeat(65)}`],
  ['a name with a line break', `client_id=daisi-host&host_id=${ID}&host_name=a%0Ab`],
  ['a name that turns text around', `client_id=daisi-host&host_id=${ID}&host_name=a%E2%80%AEb`],
  ['a name of spaces', `client_id=daisi-host&host_id=${ID}&host_name=%20%20`],
  ['a network that is no name', `client_id=daisi-host&host_id=${ID}&network=..%2F`],
  ['a repeated field', `client_id=daisi-host&host_id=${ID}&host_id=${ID}`],
  ['a repeated unknown field', `client_id=daisi-host&host_id=${ID}&more=1&more=`],
  ['too large a body', `client_id=daisi-host&host_id=${ID}&more=${'x'.repeat(17_000)}`],
] as const)('the device authorization endpoint refuses %s', async ([, body]) => {
  const response = await postForm(DEVICE_AUTHORIZATION_PATH, body)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(await oauthError(response)).toEqual([400, 'invalid_request'])
})

test.for([
  'application/json',
  'text/plain',
  'multipart/form-data',
  'application/x-www-form-urlencoded; charset=utf-16',
])('a body of type %s is no form', async (type) => {
  const response = await postForm(DEVICE_AUTHORIZATION_PATH, `client_id=daisi-host&host_id=${ID}`, {
    'content-type': type,
  })
  expect(await oauthError(response)).toEqual([400, 'invalid_request'])
})

test('a client that shows a secret is told that there is none', async () => {
  const headers = { authorization: `Basic ${btoa('daisi-host:secret')}` }
  for (const path of [DEVICE_AUTHORIZATION_PATH, OAUTH_TOKEN_PATH]) {
    const response = await postForm(path, { client_id: 'daisi-host', host_id: ID }, headers)
    expect(response.headers.get('www-authenticate')).toContain('Basic')
    expect(await oauthError(response)).toEqual([401, 'invalid_client'])
  }
})
