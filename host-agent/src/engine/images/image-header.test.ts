import { describe, expect, test } from 'vitest'
import { readImageHeader } from './image-header.ts'
import { png } from './testing/png.ts'

/** A JPEG's segments up to its frame: an APP0 and a table come before it, as encoders write them. */
const jpeg = Buffer.from(
  'ffd8' +
    'ffe000104a46494600010100000100010000' +
    'ffdb0004aabb' +
    'ffff' +
    'c2000b080030004001011100' +
    'ffda',
  'hex',
)

function webp(kind: string, rest: string): Buffer {
  const body = Buffer.concat([
    Buffer.from(`WEBP${kind}`, 'latin1'),
    Buffer.alloc(4),
    Buffer.from(rest, 'hex'),
  ])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(body.length)
  return Buffer.concat([Buffer.from('RIFF', 'latin1'), size, body])
}

describe('format and size are read from the first bytes', () => {
  test.each([
    ['PNG', png(64, 48), { format: 'png', width: 64, height: 48 }],
    ['JPEG', jpeg, { format: 'jpeg', width: 64, height: 48 }],
    ['WebP, lossy', webp('VP8 ', '5001009d012a40003000'), { format: 'webp', width: 64, height: 48 }],
    ['WebP, lossless', webp('VP8L', '2f3fc00b0000'), { format: 'webp', width: 64, height: 48 }],
    ['WebP, extended', webp('VP8X', '000000003f00002f0000'), { format: 'webp', width: 64, height: 48 }],
  ])('%s', (_, bytes, expected) => {
    expect(readImageHeader(bytes)).toEqual(expected)
  })
})

describe('what is no image has no header', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('<!doctype html><html></html>')],
    ['zeros', Buffer.alloc(100)],
    ['a GIF', Buffer.from('474946383961400030000000', 'hex')],
    ['a JPEG without a frame', Buffer.from('ffd8ffe00010' + '00'.repeat(14) + 'ffda0000', 'hex')],
    ['a JPEG whose segments lead nowhere', Buffer.from('ffd8ffe0ffff0000', 'hex')],
    ['WebP of an unknown form', webp('VP9 ', '00'.repeat(20))],
  ])('%s', (_, bytes) => {
    expect(readImageHeader(bytes)).toBeUndefined()
  })

  test.each([
    ['PNG', png(64, 48).subarray(0, 26)],
    ['JPEG', jpeg.subarray(0, -3)],
    ['WebP', webp('VP8X', '000000003f00002f0000')],
  ])('and no part of a %s makes it throw', (_, whole) => {
    for (let length = 0; length < whole.length; length++)
      expect(() => readImageHeader(whole.subarray(0, length))).not.toThrow()
  })
})
