import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { readEmailSettings } from './email-settings.ts'

const HTTP = { LOGIN_EMAIL: 'http', EMAIL_ENDPOINT: 'https://mail.test/send', EMAIL_FROM: 'orc@mail.test' }

function read(settings: Partial<Env>): unknown {
  return readEmailSettings({ ...env, ...settings })
}

test('each way of sending has its settings', () => {
  expect(read({ LOGIN_EMAIL: 'off' })).toEqual({ kind: 'off' })
  expect(read({ LOGIN_EMAIL: 'console' })).toEqual({ kind: 'console' })
  expect(read({ ...HTTP, EMAIL_TOKEN: 'secret' })).toEqual({
    kind: 'http',
    endpoint: 'https://mail.test/send',
    from: 'orc@mail.test',
    token: 'secret',
  })
})

test.for([
  [{ LOGIN_EMAIL: '' }, 'LOGIN_EMAIL'],
  [{ LOGIN_EMAIL: 'smtp' }, 'LOGIN_EMAIL'],
  [{ ...HTTP, EMAIL_FROM: '' }, 'EMAIL_FROM'],
  [{ ...HTTP, EMAIL_ENDPOINT: '' }, 'EMAIL_ENDPOINT'],
  [{ ...HTTP, EMAIL_ENDPOINT: 'http://mail.test/send' }, 'EMAIL_ENDPOINT'],
  [{ ...HTTP, EMAIL_ENDPOINT: 'ftp://mail.test/send' }, 'EMAIL_ENDPOINT'],
] as const)('%j is refused for %s', ([settings, name]) => {
  expect(() => read({ ...settings, EMAIL_TOKEN: 'secret' })).toThrow(name)
  expect(() => read({ ...settings, EMAIL_TOKEN: 'secret' })).not.toThrow('secret')
})

test.for(['http://127.0.0.1:25/send', 'http://[::1]/send', 'http://localhost/send'])(
  '%s is on this machine',
  (endpoint) => {
    expect(read({ ...HTTP, EMAIL_ENDPOINT: endpoint })).toMatchObject({ endpoint })
  },
)
