import { type Both, conjunction } from './conjunction.ts'
import { anything, type FlatSchema } from './flat-schema.ts'
import { isObject, readSchema, type SchemaObject } from './read-schema.ts'
import { pointer, SchemaRefusal } from './refusal.ts'

const MAX_DEPTH = 128

/** Schemas that may be looked at, and characters of schemas that may be compared, before it is called too much. */
const MAX_STEPS = 10_000
const MAX_COMPARED_CHARACTERS = 8 * 1024 * 1024
const MAX_JOINED_CHARACTERS = 128 * 1024

/** A schema with the places of its parts and its references. */
export class SchemaDocument {
  readonly #root: SchemaObject
  readonly #paths = new WeakMap<object, string>()
  readonly #targets = new Map<string, FlatSchema | 'in progress'>()
  readonly #keys = new WeakMap<object, string>()
  readonly #literals = new WeakMap<object, readonly unknown[] | undefined>()
  #steps = 0
  #characters = 0

  /** Throws a `SchemaRefusal` for a schema that is too deep. */
  constructor(root: SchemaObject) {
    this.#root = root
    this.#locate(root, '', 0)
  }

  /** Where the schema stands; for one that is made of several, where they meet. */
  pathOf(schema: unknown, otherwise: string): string {
    return (isObject(schema) ? this.#paths.get(schema) : undefined) ?? otherwise
  }

  /** A text that is the same for schemas that say the same. */
  keyOf(schema: unknown, path: string): string {
    if (!isObject(schema)) return JSON.stringify(schema)
    const known = this.#keys.get(schema)
    if (known !== undefined) return known
    const key = JSON.stringify(schema)
    this.#characters += key.length
    if (this.#characters > MAX_COMPARED_CHARACTERS) this.#tooMuch(path)
    this.#keys.set(schema, key)
    return key
  }

  /** Counts work. Throws a `SchemaRefusal` when it is too much. */
  step(path: string, count = 1): void {
    this.#steps += count
    if (this.#steps > MAX_STEPS) this.#tooMuch(path)
  }

  /** Makes one schema of two that must both fit. */
  readonly both = (path: string): Both => {
    return (a, b) => {
      if (a === false || b === false) return false
      const [left, right] = [this.keyOf(a, path), this.keyOf(b, path)]
      if (left === right || b === true || right === '{}') return a
      if (a === true || left === '{}') return b
      const together = { allOf: [a, b] }
      if (left.length + right.length > MAX_JOINED_CHARACTERS) this.#tooMuch(path)
      this.#paths.set(together, this.pathOf(a, path))
      return together
    }
  }

  /** What the schema says, its `$ref` and `allOf` followed. */
  flatten(schema: unknown, path: string, depth = 0): FlatSchema {
    this.step(path)
    if (depth > MAX_DEPTH) this.#tooMuch(path)
    if (schema === true) return anything(path)
    if (schema === false) return { ...anything(path), isNever: true }
    if (!isObject(schema)) throw new SchemaRefusal(path, 'a schema is an object or a boolean')
    if (path !== '' && typeof schema['$id'] === 'string') {
      throw new SchemaRefusal(pointer(path, '$id'), 'only the whole schema has an $id: leave this one out')
    }
    const own = readSchema(schema, path)
    const parts: FlatSchema[] = []
    const { $ref: reference, allOf: all } = schema
    if (reference !== undefined) parts.push(this.#target(reference, pointer(path, '$ref'), depth))
    if (all !== undefined) {
      const allPath = pointer(path, 'allOf')
      if (!Array.isArray(all)) throw new SchemaRefusal(allPath, 'allOf is to be an array')
      for (const [index, part] of all.entries()) {
        parts.push(this.flatten(part, this.pathOf(part, pointer(allPath, index)), depth + 1))
      }
    }
    return parts.reduce((sum, part) => conjunction(sum, part, this.both(path)), own)
  }

  /** The only values of the schema, if it names them. */
  literalsOf(schema: unknown, path: string): readonly unknown[] | undefined {
    if (!isObject(schema)) return undefined
    if (this.#literals.has(schema)) return this.#literals.get(schema)
    const { literals } = this.flatten(schema, this.pathOf(schema, path))
    this.#literals.set(schema, literals)
    return literals
  }

  /** The schema that a reference means, and where it stands. */
  resolve(reference: unknown, path: string): { readonly schema: unknown; readonly path: string } {
    if (typeof reference !== 'string' || !/^#(?:\/|$)/.test(reference)) {
      throw new SchemaRefusal(path, 'a reference is # or begins with #/: put what it means into $defs')
    }
    let found: unknown = this.#root
    for (const part of reference.split('/').slice(1)) {
      const name = decode(part, path).replaceAll('~1', '/').replaceAll('~0', '~')
      const isThere = typeof found === 'object' && found !== null && Object.hasOwn(found, name)
      found = isThere ? (found as SchemaObject)[name] : undefined
    }
    if (!isObject(found) && typeof found !== 'boolean') {
      throw new SchemaRefusal(path, 'the reference leads nowhere: correct it, or add what it means')
    }
    return { schema: found, path: this.pathOf(found, path) }
  }

  #target(reference: unknown, path: string, depth: number): FlatSchema {
    const target = this.resolve(reference, path)
    const known = this.#targets.get(String(reference))
    if (known === 'in progress') {
      throw new SchemaRefusal(path, 'the schema refers to itself with nothing in between')
    }
    if (known !== undefined) return known
    this.#targets.set(String(reference), 'in progress')
    const flat = this.flatten(target.schema, target.path, depth + 1)
    this.#targets.set(String(reference), flat)
    return flat
  }

  #locate(value: unknown, path: string, depth: number): void {
    if (typeof value !== 'object' || value === null) return
    if (depth > MAX_DEPTH) throw new SchemaRefusal(path, 'the schema is too deep: use $defs and references')
    this.#paths.set(value, path)
    for (const [name, part] of Object.entries(value)) this.#locate(part, pointer(path, name), depth + 1)
  }

  #tooMuch(path: string): never {
    throw new SchemaRefusal(path, 'the schema becomes too large here: use fewer alternatives and references')
  }
}

function decode(part: string, path: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new SchemaRefusal(path, 'the reference cannot be read: correct its percent signs')
  }
}
