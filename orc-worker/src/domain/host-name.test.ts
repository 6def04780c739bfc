import { expect, test } from 'vitest'
import { isNamed, parseHostName } from './host-name.ts'

test.each([
  ['orc.example', { name: 'orc.example', port: undefined }],
  ['ORC.Example:8787', { name: 'orc.example', port: 8787 }],
  ['192.168.1.5:80', { name: '192.168.1.5', port: 80 }],
  ['0x7f.1', { name: '127.0.0.1', port: undefined }],
  ['[::1]', { name: '[::1]', port: undefined }],
  ['[FD00:0:0::1]:443', { name: '[fd00::1]', port: 443 }],
  ['örc.example', { name: 'xn--rc-eka.example', port: undefined }],
])('%s is read', (text, read) => {
  expect(parseHostName(text)).toEqual(read)
})

test.each([
  '',
  ':80',
  '::1',
  'a b',
  'a,b',
  'http://a',
  'a/b',
  'user@a',
  'a:b',
  'a:65536',
  'a:123456',
  '*.example.org',
  '[::1',
  '[a]',
  'a%2eb',
  'a\\b',
  '1.2.3.400',
])('%j names nothing', (text) => {
  expect(parseHostName(text)).toBeUndefined()
})

test.each([
  ['http://orc.example:8787/x', true],
  ['http://orc.example:9000/', true],
  ['https://ORC.example/', true],
  ['http://orc.example./', false],
  ['http://a.orc.example/', false],
  ['http://orc.example.evil.example/', false],
  ['http://127.0.0.1:8787/', true],
  ['http://2130706433:8787/', true],
  ['http://127.0.0.1:8788/', false],
  ['http://127.0.0.1/', false],
  ['http://[0:0::1]:8787/', true],
  ['https://proxied.example/', true],
  ['http://proxied.example/', true],
  ['http://proxied.example:443/', true],
  ['http://proxied.example:8443/', false],
])('%s: %s', (url, answer) => {
  const names = ['orc.example', '127.0.0.1:8787', '[::1]:8787', 'proxied.example:443'].flatMap(
    (text) => parseHostName(text) ?? [],
  )
  expect(isNamed(new URL(url), names)).toBe(answer)
})
