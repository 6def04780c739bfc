/** Elements of an array in a request, unless they are ids of tokens. No API has longer ones. */
const MOST_ELEMENTS = 4_096
/** Fields of a request that may hold ids of tokens. */
const TOKEN_FIELDS: ReadonlySet<string> = new Set(['prompt', 'input'])

/**
 * Path of an array that is longer than any in an API, or undefined. A schema notes what is wrong with each element: a million wrong ones would
 * take the Worker's memory before anybody is asked who sent them.
 */
export function longArray(body: unknown): string | undefined {
  const open: { readonly value: unknown; readonly path: string }[] = [{ value: body, path: '' }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next
    if (typeof value !== 'object' || value === null) continue
    if (Array.isArray(value) && value.length > MOST_ELEMENTS) {
      const [field = ''] = path.split('.').slice(path.startsWith('request.') ? 1 : 0)
      if (!TOKEN_FIELDS.has(field) || !value.every((id) => typeof id === 'number')) return path
      continue
    }
    for (const [name, part] of Object.entries(value)) {
      if (typeof part === 'object') open.push({ value: part, path: path === '' ? name : `${path}.${name}` })
    }
  }
  return undefined
}
