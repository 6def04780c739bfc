import { expect, test } from 'vitest'
import { mayBeTold } from './direct-endpoint.ts'

const far = '203.0.113.9'

test.for([
  ['https://host.example:8790', far, true],
  ['https://198.51.100.7:8790', far, true],
  ['https://[2001:db8::7]:8790', far, true],
  ['https://198.51.100.7', undefined, true],
  ['http://127.0.0.1:8790', far, false],
  ['http://localhost:8790', far, false],
  ['http://x.localhost', far, false],
  ['https://10.1.2.3', far, false],
  ['https://169.254.169.254', far, false],
  ['https://[::1]:1', far, false],
  ['https://[fe80::1]', far, false],
  ['https://[fd00::1]', far, false],
  ['https://[::ffff:10.0.0.1]', far, false],
  // What URLs make of other ways to write an address.
  ['http://0x7f.1', far, false],
  ['http://2130706433', far, false],
  ['https://localhost.', far, false],
  ['https://x.localhost.', far, false],
  ['https://[64:ff9b::7f00:1]', far, false],
  ['https://[::127.0.0.1]', far, false],
  ['https://[2002:7f00:1::]', far, false],
  ['https://224.0.0.1', far, false],
  ['https://255.255.255.255', far, false],
  ['https://[ff02::1]', far, false],
  ['http://10.1.2.3', undefined, false],
  ['http://10.1.2.3', '192.168.1.5', true],
  ['http://127.0.0.1:8790', '127.0.0.1', true],
  ['http://[fd00::1]', '::1', true],
] as const)('%s for a caller at %s: %s', ([endpoint, caller, expected]) => {
  expect(mayBeTold(endpoint, caller)).toBe(expected)
})
