/**
 * A schema of any library that speaks Standard Schema v1 (https://standardschema.dev), such as zod, valibot or arktype. `jsonSchema` is there where the library speaks Standard JSON
 * Schema too.
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => ValidationResult<Output> | Promise<ValidationResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: string }) => Record<string, unknown>
    }
  }
}

type ValidationResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] }

interface Issue {
  readonly message: string
  /** Where in the value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** A JSON Schema beside the schema that checks, for libraries that cannot write one themselves. */
export interface SchemaPair<Output = unknown> {
  readonly schema: StandardSchema<Output>
  readonly jsonSchema: Record<string, unknown>
}

/** What a schema makes of a value, or what is wrong with it. */
export async function validate<Output>(
  schema: StandardSchema<Output>,
  value: unknown,
): Promise<{ readonly value: Output } | { readonly problem: string }> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return { value: result.value }
  return { problem: result.issues.map(issueText).join('; ') }
}

/** Messages of most libraries do not say themselves where the fault is. */
function issueText({ message, path = [] }: Issue): string {
  const place = path.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.')
  return place === '' ? message : `${place}: ${message}`
}

/** The JSON Schema of a schema; undefined if its library does not write one. */
export function jsonSchemaOf(schema: StandardSchema): Record<string, unknown> | undefined {
  const { $schema: _, ...written } = schema['~standard'].jsonSchema?.input({ target: 'draft-2020-12' }) ?? {}
  return Object.keys(written).length > 0 ? written : undefined
}
