import * as z from 'zod'
import type { RequestFault } from './request-fault.ts'

/** In place of a value whose `type` an API knows and the network does not serve: it is refused by name (rule A3), not as a wrong value. */
export const unserved = z.object({ type: z.literal('unserved'), name: z.string() })
type Unserved = z.infer<typeof unserved>

/** Puts `unserved` in the place of values of any other type. A value without a type has the type `absent`, if that is given. */
export function onlyServed(served: readonly string[], absent?: string): (value: unknown) => unknown {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const type: unknown = ('type' in value ? value.type : undefined) ?? absent
    if (typeof type === 'string' && !served.includes(type))
      return { type: 'unserved', name: type.slice(0, 64) }
    return { ...value, type }
  }
}

/** The fault of such a value. */
export function unservedType({ name }: Unserved, param: string, advice: string): RequestFault {
  return {
    code: 'unsupported_parameter',
    param,
    message: `\`${param}\` is of type ${JSON.stringify(name)}, which is not served. ${advice}`,
  }
}
