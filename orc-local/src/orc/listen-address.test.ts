import { expect, test } from 'vitest'
import { localUrl, parseListenAddress } from './listen-address.ts'

test.each([
  ['127.0.0.1:8787', { host: '127.0.0.1', port: 8787 }, 'http://127.0.0.1:8787'],
  [':0', { host: '127.0.0.1', port: 0 }, 'http://127.0.0.1:0'],
  ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }, 'http://127.0.0.1:80'],
  ['[::]:80', { host: '::', port: 80 }, 'http://[::1]:80'],
  ['orc.lan:443', { host: 'orc.lan', port: 443 }, 'http://orc.lan:443'],
])('%s is understood', (text, address, url) => {
  const parsed = parseListenAddress(text)
  expect(parsed).toEqual(address)
  expect(parsed && localUrl(parsed)).toBe(url)
})

test.each(['', 'localhost', '127.0.0.1:', '127.0.0.1:65536', '::1:80', 'a b:x'])('%j is refused', (text) => {
  expect(parseListenAddress(text)).toBeUndefined()
})
