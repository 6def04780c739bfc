/** Why a schema has no grammar. Thrown inside this folder only; `schemaToGrammar` returns it as a value. */
export class SchemaRefusal extends Error {
  /** JSON pointer to the part of the schema that is meant; empty for the whole. */
  readonly path: string

  constructor(path: string, message: string) {
    super(message)
    this.path = path
  }
}

/** The JSON pointer of a part of what `path` points to. */
export function pointer(path: string, part: string | number): string {
  return `${path}/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
