import type { JsonSchema } from '../openapi/schemas.ts'
import { escapeHtml } from './escape-html.ts'

/** Levels of fields that are shown; what lies deeper is rarely read here. */
const MAX_DEPTH = 6

/** What values a schema takes, as text and nested lists. */
export function schemaMarkup(schema: JsonSchema, depth = 0): string {
  const own = typeMarkup(schema)
  const inner = depth >= MAX_DEPTH ? '' : fieldsMarkup(schema, depth)
  const about = typeof schema['description'] === 'string' ? ` ${escapeHtml(schema['description'])}` : ''
  return `${own}${about}${inner}`
}

function typeMarkup(schema: JsonSchema): string {
  const { $ref: reference, type, items, const: only } = schema
  const options = alternatives(schema)
  if (typeof reference === 'string') {
    const name = escapeHtml(reference.split('/').at(-1) ?? '')
    return `<a href="#schema-${name}">${name}</a>`
  }
  if (only !== undefined) return `<code>${escapeHtml(JSON.stringify(only))}</code>`
  if (Array.isArray(schema['enum']))
    return schema['enum'].map((value) => `<code>${escapeHtml(JSON.stringify(value))}</code>`).join(' or ')
  if (options.length > 0) return options.map(typeMarkup).join(' or ')
  if (type === 'array' && isSchema(items)) return `list of ${typeMarkup(items)}`
  return typeof type === 'string' ? escapeHtml(type) + limitsOf(schema) : 'anything'
}

function limitsOf(schema: JsonSchema): string {
  const limits = (
    [
      ['minimum', '≥'],
      ['maximum', '≤'],
      ['minLength', 'length ≥'],
      ['maxLength', 'length ≤'],
    ] as const
  ).flatMap(([name, sign]) => {
    const limit = schema[name]
    return typeof limit === 'number' && Math.abs(limit) < Number.MAX_SAFE_INTEGER ? `${sign} ${limit}` : []
  })
  return limits.length === 0 ? '' : ` (${limits.join(', ')})`
}

function fieldsMarkup(schema: JsonSchema, depth: number): string {
  const { properties, items, required } = schema
  const names: readonly unknown[] = Array.isArray(required) ? required : []
  const fields = isSchema(properties) ? Object.entries(properties) : []
  const lines = fields.map(([name, value]) => {
    const mark = names.includes(name) ? '' : ' <span class="quiet">optional</span>'
    return `<li><code>${escapeHtml(name)}</code>${mark}: ${isSchema(value) ? schemaMarkup(value, depth + 1) : ''}</li>`
  })
  const own = lines.length === 0 ? '' : `<ul class="fields">${lines.join('')}</ul>`
  const further = [...alternatives(schema), ...(isSchema(items) ? [items] : [])]
  return own + further.map((each) => fieldsMarkup(each, depth + 1)).join('')
}

function alternatives({ anyOf, oneOf }: JsonSchema): JsonSchema[] {
  return [anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? list : [])).filter(isSchema)
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
