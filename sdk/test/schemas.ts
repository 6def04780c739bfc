import type { StandardSchema } from '../src/standard-schema.ts'

/** An object with one text field, as a library with both traits would have it. */
export function textField(
  name: string,
  check: (text: string) => boolean = () => true,
): StandardSchema<Record<string, string>> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        const text: unknown = (value as Record<string, unknown>)[name]
        return typeof text === 'string' && check(text)
          ? { value: { [name]: text.toUpperCase() } }
          : { issues: [{ message: `${name} is wrong` }] }
      },
      jsonSchema: {
        input: ({ target }) => ({
          $schema: target,
          type: 'object',
          properties: { [name]: { type: 'string' } },
        }),
      },
    },
  }
}
