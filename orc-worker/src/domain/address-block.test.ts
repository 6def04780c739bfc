import { expect, test } from 'vitest'
import { addressBlock } from './address-block.ts'

test.for([
  ['192.0.2.7', '::ffff:192.0.2.7'],
  ['192.0.2.7', '::ffff:c000:207'],
  ['2001:db8:1:2:3:4:5:6', '2001:DB8:1:2::'],
  ['2001:0db8:0001:0002:ffff::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
  ['2001:db8::5', '2001:db8:0:0:1::'],
  ['fe80::1%eth0', 'fe80::2'],
  ['unknown', 'unknown'],
] as const)('[Y1] %s and %s are one caller', ([one, other]) =>
  expect(addressBlock(one)).toBe(addressBlock(other)),
)

test('[Y1] neighbours of these are others', () => {
  const others = [
    '192.0.2.7',
    '192.0.2.8',
    '::c000:207',
    '2001:db8:1:2::1',
    '2001:db8:1:3::1',
    'fe80::1',
    'unknown',
    '',
  ]
  expect(new Set(others.map(addressBlock)).size).toBe(others.length)
})
