import * as z from 'zod'

/** The part of JSON Schema that zod writes for settings. */
interface Shape {
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
  readonly pattern?: string
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
}

export type ConfigKey = readonly (string | number)[]

/** Whole numbers beyond this are not meant as a limit by whoever wrote the schema. */
const LARGEST = Number.MAX_SAFE_INTEGER

/** What is wrong with a value, and what would be right: names the field. Values are not quoted, for some are secret. */
export function configProblem(schema: z.ZodType, error: z.ZodError): string {
  const [issue] = error.issues
  if (issue === undefined) return 'is not valid'
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const shape = shapeAt(shapeOf(schema), path)
  const subject = path.length === 0 ? 'the configuration' : path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const unknown = [...path, issue.keys[0] ?? ''].join('.')
    return `${unknown} is no setting; remove it, or use one of ${keysOf(shape).join(', ')}`
  }
  if (issue.code === 'custom' || issue.code === 'invalid_format') return `${subject} ${issue.message}`
  if (issue.code === 'too_big' && issue.origin === 'array')
    return `${subject} must have ${issue.maximum} entries at most`
  return `${subject} must be ${words(shape)}`
}

/** What may stand under a key, in words; undefined if there is no such key. */
export function allowedValues(schema: z.ZodType, key: ConfigKey): string | undefined {
  const shape = shapeAt(shapeOf(schema), key)
  return shape === undefined ? undefined : words(shape)
}

/** The keys that exist under a key. */
export function keysUnder(schema: z.ZodType, key: ConfigKey): readonly string[] {
  return keysOf(shapeAt(shapeOf(schema), key))
}

const shapes = new WeakMap<z.ZodType, Shape>()

function shapeOf(schema: z.ZodType): Shape {
  const known = shapes.get(schema)
  if (known !== undefined) return known
  const shape = z.toJSONSchema(schema, { io: 'input', reused: 'inline' }) as Shape
  shapes.set(schema, shape)
  return shape
}

function shapeAt(shape: Shape, path: ConfigKey): Shape | undefined {
  return path.reduce<Shape | undefined>((at, part) => at && step(at, String(part)), shape)
}

function step(shape: Shape, part: string): Shape | undefined {
  const { properties, items, anyOf } = shape
  if (properties !== undefined && Object.hasOwn(properties, part)) return properties[part]
  if (items !== undefined && /^\d{1,4}$/.test(part)) return items
  return anyOf?.map((one) => step(one, part)).find((found) => found !== undefined)
}

function keysOf(shape: Shape | undefined): readonly string[] {
  if (shape?.properties !== undefined) return Object.keys(shape.properties)
  return shape?.anyOf?.flatMap(keysOf) ?? []
}

function words(shape: Shape | undefined): string {
  if (shape === undefined) return 'something else'
  if (shape.anyOf !== undefined) return shape.anyOf.map(words).join(', or ')
  if (shape.description !== undefined) return shape.description
  if (shape.enum !== undefined) return `one of ${shape.enum.join(', ')}`
  switch (shape.type) {
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `a whole number${range(shape)}`
    case 'number':
      return `a number${range(shape)}`
    case 'string':
      return `a text${lengths(shape)}`
    case 'array':
      return `a list, each ${words(shape.items)}`
    case 'object':
      return `an object with ${keysOf(shape).join(', ')}`
    case undefined:
    default:
      return shape.type ?? 'something else'
  }
}

function range({ minimum, exclusiveMinimum, maximum }: Shape): string {
  const least = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1)
  const from = least === undefined || least === -LARGEST ? '' : ` from ${least}`
  return maximum === undefined || maximum === LARGEST ? from : `${from} to ${maximum}`
}

function lengths({ minLength, maxLength, pattern }: Shape): string {
  if (pattern !== undefined) return ` that matches ${pattern}`
  if (maxLength === undefined) return ''
  return ` of ${minLength ?? 0} to ${maxLength} characters`
}
