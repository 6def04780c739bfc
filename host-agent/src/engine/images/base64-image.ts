import { ServerError } from '../upstream/server-error.ts'

/** The bytes of an image that a server sent in base64, bare or as a data URL. Throws a `ServerError`. */
export function base64Image(text: string): Buffer {
  const data = text.replace(/^data:image\/[a-z]+;base64,/, '')
  const bytes = Buffer.from(data, 'base64')
  // Buffer skips what is no base64; then fewer bytes come out than the text is long.
  if (bytes.length === 0 || bytes.length < Math.floor((data.replace(/=+$/, '').length * 3) / 4))
    throw new ServerError('malformed', 'the server did not answer with an image in base64')
  return bytes
}
