import { type ImageFormat, imageCharacterLimit } from '@daisi/protocol'

// Images travel as base64 (RFC 4648 §4) in the frames of a result. Whoever pays for one shall have one: what is none ends its Job
// before it is metered.

/** Characters of base64 that tell an image's format. */
const HEAD_CHARACTERS = 16

/** One part of an image on its way. */
export interface ImagePart {
  readonly text: string
  readonly last: boolean
  /** Characters of the same image that came before, and the first of these. */
  readonly before: number
  readonly head: string
  /** The price of the image. */
  readonly tokens: number
}

/** What is wrong with a part of an image, or undefined (rule F9). */
export function imagePartFault({ text, last, before, head, tokens }: ImagePart): string | undefined {
  const characters = before + text.length
  if (characters > imageCharacterLimit(tokens)) return 'more than an image of its size can have'
  const start = resultHead(head, text)
  const isKnown = start.length === HEAD_CHARACTERS || last
  if (isKnown && imageFormat(start) === undefined) return 'an image that is none'
  // Padding stands at the very end.
  if (!(last ? /^[A-Za-z0-9+/]*={0,2}$/ : /^[A-Za-z0-9+/]+$/).test(text)) return 'an image that is not base64'
  return last && characters % 4 !== 0 ? 'an image without its end' : undefined
}

/** The first characters of a result, with more of its text. */
export function resultHead(head: string, text: string): string {
  return (head + text.slice(0, HEAD_CHARACTERS)).slice(0, HEAD_CHARACTERS)
}

/** The format of an image by its first bytes, or undefined if it is none that is known. */
export function imageFormat(base64: string): ImageFormat | undefined {
  const bytes = decode(base64.slice(0, HEAD_CHARACTERS))
  if (bytes.startsWith('\u0089PNG\r\n\u001A\n')) return 'png'
  if (bytes.startsWith('\u00FF\u00D8\u00FF')) return 'jpeg'
  return bytes.startsWith('RIFF') && bytes.startsWith('WEBP', 8) ? 'webp' : undefined
}

/** One character for each byte; empty if it is no base64. */
function decode(base64: string): string {
  try {
    return atob(base64)
  } catch {
    return ''
  }
}
