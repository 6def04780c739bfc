import { expect, test } from 'vitest'
import { logIn } from './support/browser.ts'
import { errorCode } from './support/scene.ts'

const SAME = 'https://orc.test'

/** Headers that name the page, and whether a login counts with them. Null: not sent. */
const pages: readonly (readonly [origin: string | null, site: string | null, good: boolean])[] = [
  [SAME, null, true],
  [SAME, 'same-origin', true],
  [null, 'same-origin', true],
  [null, null, false],
  [null, 'none', false],
  [null, 'same-site', false],
  [null, 'cross-site', false],
  ['null', null, false],
  ['null', 'same-origin', false],
  ['', 'same-origin', false],
  ['https://evil.test', null, false],
  ['https://evil.test', 'same-origin', false],
  ['http://orc.test', null, false],
  ['https://orc.test:8443', null, false],
  ['https://orc.test.evil.test', null, false],
  ['https://app.orc.test', 'same-site', false],
  ['https://orc.test, https://evil.test', null, false],
]

const changes: readonly (readonly [method: string, path: string])[] = [
  ['POST', '/api/apps'],
  ['DELETE', '/api/me/sessions'],
  ['PATCH', '/api/members/usr_none'],
  ['POST', '/api/operators'],
]

test.for(pages)('Origin %s with Sec-Fetch-Site %s counts: %s', async ([origin, site, good]) => {
  const { browser } = await logIn()
  const headers = { origin, 'sec-fetch-site': site }
  for (const [method, path] of changes) {
    const response = await browser.call(method, path, { body: { name: 'app', role: 'viewer' }, headers })
    const isRefused = response.status === 403 && (await errorCode(response)) === 'cross_site_request'
    expect([method, path, isRefused]).toEqual([method, path, !good])
  }
  expect((await browser.call('GET', '/api/me', { headers })).status).toBe(200)
})

test('[I3] nothing changes by a request of another site', async () => {
  const { browser } = await logIn()
  const headers = { origin: 'https://evil.test' }
  expect((await browser.call('POST', '/api/logout', { headers })).status).toBe(403)
  expect((await browser.call('GET', '/api/me')).status).toBe(200)
})

test('/api lets no page of another site read its answers', async () => {
  const { browser } = await logIn()
  const headers = { origin: 'https://evil.test' }
  const read = await browser.call('GET', '/api/me', { headers })
  const asked = await browser.call('OPTIONS', '/api/me', {
    headers: { ...headers, 'access-control-request-method': 'GET' },
  })
  for (const response of [read, asked]) {
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
  }
})
