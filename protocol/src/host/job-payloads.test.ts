import { expect, test } from 'vitest'
import { imageCharacterLimit, imageTokens } from './job-payloads.ts'

test.for([
  [64, 64, 4],
  [72, 72, 6],
  [512, 512, 256],
  [768, 512, 384],
  [1_024, 1_024, 1_024],
  [2_048, 2_048, 4_096],
  [2_048, 64, 128],
] as const)('[P6] an image of %i by %i pixels costs %i credits', ([width, height, credits]) => {
  expect(imageTokens(width, height)).toBe(credits)
  expect(imageTokens(height, width)).toBe(credits)
})

test('[F9] an image may be as large as its pixels are uncompressed, and a megabyte', () => {
  expect(imageCharacterLimit(256)).toBeGreaterThanOrEqual(Math.ceil((512 * 512 * 4 * 4) / 3) + 1024 * 1024)
  expect(imageCharacterLimit(4_096)).toBeLessThan(24 * 1024 * 1024)
})
