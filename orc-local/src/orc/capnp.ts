/** A value of workerd's configuration language (Cap'n Proto text). */
export type CapnpValue =
  | string
  | number
  | boolean
  | Embed
  | readonly CapnpValue[]
  | { readonly [field: string]: CapnpValue }

/** The content of a file, named relative to the configuration. */
export class Embed {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }
}

/** A value as text. */
export function renderCapnp(value: CapnpValue, indent = ''): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value instanceof Embed) return `embed ${quote(value.path)}`
  const inner = `${indent}  `
  if (isList(value))
    return block(
      '[',
      value.map((item) => renderCapnp(item, inner)),
      ']',
      indent,
    )
  return block(
    '(',
    Object.entries(value).map(([name, field]) => `${name} = ${renderCapnp(field, inner)}`),
    ')',
    indent,
  )
}

function isList(value: CapnpValue): value is readonly CapnpValue[] {
  return Array.isArray(value)
}

function block(open: string, items: readonly string[], close: string, indent: string): string {
  if (items.length === 0) return `${open}${close}`
  return `${open}\n${items.map((item) => `${indent}  ${item}`).join(',\n')}\n${indent}${close}`
}

/** Control characters become `\xNN`; everything else is UTF-8 as it is. */
function quote(text: string): string {
  const escaped = text.replace(/[\\"]/g, '\\$&').replace(
    // oxlint-disable-next-line no-control-regex -- these are what must not reach the file
    /[\u0000-\u001f\u007f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return `"${escaped}"`
}
