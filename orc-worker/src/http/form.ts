import { readText } from './read-text.ts'

/** No form that this Orc takes is larger. */
const MAX_FORM_BYTES = 16 * 1024

/** The fields of a form, or why it is none. */
export type Form =
  | { readonly ok: true; readonly fields: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly message: string }

/**
 * Reads an `application/x-www-form-urlencoded` body as RFC 6749 §3.2 wants it: no field comes twice, and one without a value
 * counts as absent. No other media type is taken, so that no page elsewhere can send one that passes for another.
 */
export async function readForm(request: Request): Promise<Form> {
  if (!isForm(request.headers.get('content-type')))
    return { ok: false, message: 'Send the body as application/x-www-form-urlencoded, in UTF-8.' }
  const text = await readText(request, MAX_FORM_BYTES)
  if (text === undefined)
    return { ok: false, message: `The body is larger than ${MAX_FORM_BYTES} bytes. Send a shorter one.` }
  const names = new Set<string>()
  const fields = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (names.has(name))
      return { ok: false, message: 'A field stands in the body more than once. Send each once.' }
    names.add(name)
    if (value !== '') fields.set(name, value)
  }
  return { ok: true, fields }
}

function isForm(contentType: string | null): boolean {
  return /^application\/x-www-form-urlencoded(\s*;\s*charset="?utf-8"?)?$/i.test(contentType?.trim() ?? '')
}
