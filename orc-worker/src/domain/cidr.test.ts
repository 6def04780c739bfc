import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isCidr, isWithin } from './cidr.ts'

test.for([
  '0.0.0.0/0',
  '10.0.0.0/8',
  '192.168.1.0/24',
  '192.168.1.77/32',
  '::/0',
  'fd00::/8',
  '2001:db8::/32',
  '2001:DB8:0:0:0:0:0:1/128',
  '64:ff9b::192.0.2.0/120',
  '::ffff:10.0.0.0/104',
])('%s is a block', (text) => {
  expect(isCidr(text)).toBe(true)
})

test.for([
  '',
  '10.0.0.0',
  '10.0.0.0/',
  '10.0.0.0/33',
  '10.0.0.0/08',
  '10.0.0.0/-1',
  '10.0.0.0/8 ',
  '10.0.0.1/8',
  '10.0.0/8',
  '10.0.0.256/32',
  '010.0.0.0/8',
  '0x0a.0.0.0/8',
  '167772160/8',
  '1.2.3.4.5/32',
  '10.0.0.0/8/8',
  '2001:db8::1/32',
  '2001:db8::/129',
  '2001:db8/32',
  '1:2:3:4:5:6:7:8:9/128',
  '1:2:3:4:5:6:7:8::/128',
  '1::2::3/128',
  ':1::/128',
  ':::/0',
  '12345::/16',
  'fe80::1%eth0/128',
  '10.0.0.0::/8',
  '::ffff:10.0.0.0/8',
  '[::1]/128',
])('%s is no block', (text) => {
  expect(isCidr(text)).toBe(false)
})

describe('an address and a block', () => {
  test.for([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.0.0.0', '10.0.0.0/8', false],
    ['9.255.255.255', '10.0.0.0/8', false],
    ['255.255.255.255', '0.0.0.0/0', true],
    ['192.168.1.127', '192.168.1.0/25', true],
    ['192.168.1.128', '192.168.1.0/25', false],
    ['2001:db8::5', '2001:db8::/32', true],
    ['2001:db9::5', '2001:db8::/32', false],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['::FFFF:0a01:0203', '10.0.0.0/8', true],
    ['10.1.2.3', '::ffff:10.0.0.0/104', true],
    ['11.1.2.3', '::ffff:10.0.0.0/104', false],
    // Neither family is part of the other.
    ['10.1.2.3', '::/0', false],
    ['::1', '0.0.0.0/0', false],
    ['::10.1.2.3', '10.0.0.0/8', false],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0/128', true],
    ['not an address', '0.0.0.0/0', false],
    ['', '0.0.0.0/0', false],
    ['10.1.2.3', 'nonsense', false],
    ['10.1.2.3:80', '10.0.0.0/8', false],
  ] as const)('%s in %s: %s', ([address, block, expected]) => {
    expect(isWithin(address, [block])).toBe(expected)
  })

  test('one block of several is enough, and none fits nothing', () => {
    expect(isWithin('10.1.2.3', ['192.168.0.0/16', '10.0.0.0/8'])).toBe(true)
    expect(isWithin('10.1.2.3', [])).toBe(false)
  })
})

const bytes = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length })

function masked(address: readonly number[], prefix: number): number[] {
  return address.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefix - index * 8))
    return byte & (0xff << (8 - kept)) & 0xff
  })
}

const dotted = (address: readonly number[]): string => address.join('.')
const colons = (address: readonly number[]): string =>
  address
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replaceAll(/(.{4})(?=.)/g, '$1:')

test.for([
  ['IPv4', 4, dotted],
  ['IPv6', 16, colons],
] as const)('%s: an address lies in a block exactly if their leading bits agree', ([, length, write]) => {
  fc.assert(
    fc.property(
      bytes(length),
      bytes(length),
      fc.nat(length * 8),
      fc.nat(length * 8),
      (one, two, prefix, agreeing) => {
        // An address that shares a random number of leading bits with the block.
        const head = masked(one, agreeing)
        const tail = masked(two, agreeing)
        const address = two.map((byte, index) => (byte ^ (tail[index] ?? 0)) | (head[index] ?? 0))
        const block = masked(one, prefix)
        const agrees = masked(address, prefix).every((byte, index) => byte === block[index])
        const cidr = `${write(block)}/${prefix}`
        expect(isCidr(cidr)).toBe(true)
        expect(isWithin(write(address), [cidr])).toBe(agrees)
        if (length === 4) expect(isWithin(`::ffff:${write(address)}`, [cidr])).toBe(agrees)
      },
    ),
  )
})

test('no text throws', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789abcdef:./%[] '.split('')) })
  fc.assert(
    fc.property(text, text, (address, block) => {
      expect([true, false]).toContain(isWithin(address, [block]))
      if (isCidr(block)) expect(block).toContain('/')
    }),
  )
})
