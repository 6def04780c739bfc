import { hostname, networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { isHost, ownHosts } from './own-hosts.ts'

const listen = { host: '127.0.0.1', port: 8787 }
const ask = (changes: Partial<Parameters<typeof ownHosts>[0]> = {}): string[] =>
  ownHosts({ listen, certificate: undefined, publicNames: [], ...changes }).split(',')

test('an Orc goes by the names and addresses of its machine, on its own port', () => {
  const hosts = ask()
  const [label = ''] = hostname().toLowerCase().split('.')
  for (const name of ['localhost', '127.0.0.1', '[::1]', hostname().toLowerCase(), `${label}.local`])
    expect(hosts).toContain(`${name}:8787`)
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((entries) => entries ?? []))
    expect(hosts).toContain(family === 'IPv6' ? `[${address}]:8787` : `${address}:8787`)
  expect(hosts.filter((host) => !host.endsWith(':8787'))).toEqual([])
})

test('and by what it listens on, but for what means every address', () => {
  expect(ask({ listen: { host: 'Orc.lan', port: 80 } })).toContain('orc.lan:80')
  expect(ask({ listen: { host: '127.0.0.5', port: 80 } })).toContain('127.0.0.5:80')
  expect(ask({ listen: { host: '0.0.0.0', port: 80 } })).not.toContain('0.0.0.0:80')
  expect(ask({ listen: { host: '::', port: 80 } })).not.toContain('[::]:80')
})

test('and by the names of its certificate, where they are whole, and the public ones as they are', () => {
  const names = ['lab.example', '*.example', 'a b', '0:0:0:0:0:0:0:5']
  const hosts = ask({ certificate: { names }, publicNames: ['orc.example', '10.0.0.1:443'] })
  expect(hosts.slice(-4)).toEqual([
    'lab.example:8787',
    '[0:0:0:0:0:0:0:5]:8787',
    'orc.example',
    '10.0.0.1:443',
  ])
})

test('on every port where it takes a free one', () => {
  expect(ask({ listen: { ...listen, port: 0 } })).toContain('127.0.0.1')
})

test.each(['orc.example', 'orc.example:443', '10.0.0.1', '[::1]:8787', 'my_box'])('%s is a host', (text) => {
  expect(isHost(text)).toBe(true)
})

test.each(['', '*', '*.example', 'a:b', 'a:70000', '::1', 'http://a', 'a/b', 'a@b', 'a,b', '[x]', 'a%00'])(
  '%j is none',
  (text) => {
    expect(isHost(text)).toBe(false)
  },
)
