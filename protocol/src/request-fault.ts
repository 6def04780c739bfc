/** What is wrong with a request before anything is done for it. */
export interface RequestFault {
  readonly code: 'invalid_request' | 'unsupported_parameter'
  /** What to do next. */
  readonly message: string
  /** The field at fault, as a path. */
  readonly param: string
}

/**
 * The first parameter of a request that would change the answer and is not served (rule A3), or undefined. `unserved` has those that an API
 * knows, each with the values that ask for nothing and are therefore harmless.
 */
export function unservedParameter(
  request: Readonly<Record<string, unknown>>,
  unserved: Readonly<Record<string, readonly unknown[]>>,
): RequestFault | undefined {
  for (const [name, harmless] of Object.entries(unserved)) {
    const value = request[name]
    if (value === undefined || value === null || harmless.includes(value)) continue
    if (Array.isArray(value) && value.every((entry) => harmless.includes(entry))) continue
    const message =
      harmless.length === 0
        ? `\`${name}\` is not served. Leave it out.`
        : `This value of \`${name}\` is not served. Leave it out.`
    return { code: 'unsupported_parameter', message, param: name }
  }
  return undefined
}
