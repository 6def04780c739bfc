import { expect, test } from 'vitest'
import { loginPath, returnPath } from './return-path.ts'

test.each(['/device', '/device?user_code=WDJB-MJHT', '/device?user_code=wdjbmjht'])('%s is kept', (path) => {
  expect(returnPath(path)).toBe(path)
})

test.each([
  'https://evil.test/',
  '//evil.test/device',
  String.raw`/\evil.test`,
  '/device/../evil',
  '/device#x',
  '/device?user_code=A&next=//evil.test',
  '/device?user_code=<script>',
  '/device\r\nset-cookie: a=b',
  '/device\n',
  'javascript:alert(1)',
  '/api/logout',
  '',
])('%j leads home', (path) => {
  expect(returnPath(path)).toBe('/login')
})

test('a login remembers where it leads', () => {
  expect(loginPath('/device?user_code=WDJB-MJHT')).toBe('/login?return_to=%2Fdevice%3Fuser_code%3DWDJB-MJHT')
  expect(loginPath(returnPath(undefined))).toBe('/login')
})
