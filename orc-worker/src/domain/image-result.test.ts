import { expect, test } from 'vitest'
import { imageFormat, imagePartFault } from './image-result.ts'

/** Bytes as characters, in base64. */
const base64 = (bytes: string): string => btoa(bytes)
const PNG = '\u0089PNG\r\n\u001A\n'
const BODY = 'x'.repeat(40)

test.for([
  ['a PNG', `${PNG}${BODY}`, 'png'],
  ['a JPEG', `\u00FF\u00D8\u00FF\u00E0${BODY}`, 'jpeg'],
  ['a WebP', `RIFF\u0001\u0002\u0003\u0004WEBPVP8 ${BODY}`, 'webp'],
  ['another RIFF', `RIFF\u0001\u0002\u0003\u0004WAVEfmt ${BODY}`, undefined],
  ['a page', `<html>${BODY}`, undefined],
  ['a PNG whose line ends were changed', `\u0089PNG\n\u001A\n${BODY}`, undefined],
  ['a GIF', `GIF89a${BODY}`, undefined],
  ['nothing', '', undefined],
] as const)('the first bytes tell %s', ([, bytes, format]) => {
  expect(imageFormat(base64(bytes))).toBe(format)
})

const whole = base64(`${PNG}${BODY}`)

test.for([
  ['a whole image', base64(`${PNG}${BODY}`), true, 0, undefined],
  ['the beginning of one', base64(`${PNG}${BODY}`).slice(0, 31), false, 0, undefined],
  ['a middle', 'AAAA+/', false, 31, undefined],
  ['an end', 'AAAA==', true, 30, undefined],
  ['an empty end', '', true, 32, undefined],
  ['too few bytes to tell yet', 'AAAA', false, 0, undefined],
  ['enough of them to tell', 'AAAAAAAAAAAAAAAA', false, 4, 'an image that is none'],
  ['too few bytes for an image', base64(PNG).slice(0, 8), true, 0, 'an image that is none'],
  ['a beginning that is none', 'AAAAAAAAAAAAAAAA', false, 0, 'an image that is none'],
  ['an empty image', '', true, 0, 'an image that is none'],
  ['a line break', 'AAAA\n', false, 31, 'an image that is not base64'],
  ['quotes', '"}],"', false, 31, 'an image that is not base64'],
  ['an empty middle', '', false, 31, 'an image that is not base64'],
  ['padding in the middle', 'AA==', false, 31, 'an image that is not base64'],
  ['too much padding', 'A===', true, 32, 'an image that is not base64'],
  ['the alphabet for URLs', 'AA-_', false, 31, 'an image that is not base64'],
  ['an end that is missing', 'AAAA', true, 31, 'an image without its end'],
] as const)('what may come: %s', ([, text, last, before, fault]) => {
  const head = before === 4 ? 'iVBO' : whole.slice(0, Math.min(16, before))
  expect(imagePartFault({ text, last, before, head, tokens: 256 })).toBe(fault)
})

test('an image has at most what its pixels take uncompressed, and a megabyte', () => {
  const most = 1_024 * 1_024 + 5_462
  const part = { text: 'AAAA', last: false, head: base64(PNG + BODY).slice(0, 16), tokens: 1 }
  expect(imagePartFault({ ...part, before: most - 4 })).toBeUndefined()
  expect(imagePartFault({ ...part, before: most - 3 })).toBe('more than an image of its size can have')
})
