import { oddNumber, oddString, oddValue } from './odd-values.ts'
import type { Random } from './random.ts'

const MOST_LEVELS = 12

type Container = Record<string, unknown> | unknown[]

/** Names that mean something to objects themselves. */
const PROTOTYPE_KEYS = ['__proto__', 'constructor', 'prototype', 'toJSON', '']

/** The value with one to three structural faults: wrong types, missing and added fields, odd values, deep nesting. */
export function mutated(value: unknown, random: Random): unknown {
  let result = structuredClone(value)
  const faults = 1 + random.below(3)
  for (let fault = 0; fault < faults; fault++) result = withFault(result, random)
  return result
}

function withFault(value: unknown, random: Random): unknown {
  const containers = containersOf(value)
  const container = random.pick(containers)
  if (container === undefined || random.chance(0.04)) return oddValue(random)
  const keys = Object.keys(container)
  const key = keys.length === 0 ? '0' : random.pick(keys)
  const set = (name: string, item: unknown): void => {
    Object.defineProperty(container, name, {
      value: item,
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
  switch (random.below(10)) {
    case 0:
      remove(container, key)
      break
    case 1:
      set(Array.isArray(container) ? String(container.length) : oddString(random), oddValue(random))
      break
    case 2:
      if (!Array.isArray(container)) set(random.pick(PROTOTYPE_KEYS), oddValue(random))
      break
    case 3:
      set(key, nested(random))
      break
    case 4:
      set(key, [Reflect.get(container, key)])
      break
    case 5:
      set(key, oddNumber(random))
      break
    case 6:
      set(key, repeated(Reflect.get(container, key), random))
      break
    case 7:
      set(key, oddString(random))
      break
    default:
      set(key, oddValue(random))
  }
  return value
}

/** The value and what stands in it, not too deep. */
function containersOf(value: unknown, depth = 0): Container[] {
  if (typeof value !== 'object' || value === null || depth > MOST_LEVELS) return []
  const own = value as Container
  return [own, ...Object.values(own).flatMap((item) => containersOf(item, depth + 1))]
}

function remove(container: Container, key: string): void {
  if (Array.isArray(container)) container.splice(Number(key), 1)
  else Reflect.deleteProperty(container, key)
}

/** Arrays and objects in each other, up to 1,000 deep. */
function nested(random: Random): unknown {
  let value: unknown = 'x'
  const depth = random.pick([10, 200, 1_000])
  const isArray = random.chance(0.5)
  for (let level = 0; level < depth; level++) value = isArray ? [value] : { a: value }
  return value
}

/** Many of one. What is large already stays as it is: faults upon faults would fill the memory. */
function repeated(value: unknown, random: Random): unknown {
  const size = jsonText(value).length
  if (size > 500) return value
  const times = random.pick([2, 70, 3_000])
  if (typeof value === 'string') return value.repeat(times)
  return Array.from({ length: size > 20 ? Math.min(times, 70) : times }, () => value)
}

/** JSON text of a value. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/** The bytes of a JSON text, damaged as no serialiser would. */
export function damagedText(text: string, random: Random): Buffer {
  const bytes = Buffer.from(text)
  const at = random.below(bytes.length + 1)
  switch (random.below(12)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return Buffer.concat([Buffer.from('\ufeff'), bytes])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff, 0xc0, 0x80]), bytes.subarray(at)])
    case 3:
      return Buffer.from(text.replace(/:\s*("[^"]*"|\d+|true|false|null)/, ':NaN'))
    case 4:
      return Buffer.from(text.replace(/:\s*("[^"]*"|\d+|true|false|null)/, ':1e999'))
    case 5:
      return Buffer.from(text.replace(/:\s*("[^"]*"|\d+|true|false|null)/, String.raw`:"\ud800"`))
    case 6:
      return Buffer.from(`${text}${text}`)
    case 7:
      return Buffer.from('['.repeat(random.pick([100, 100_000])))
    case 8:
      return Buffer.alloc(0)
    case 9:
      return Buffer.from(text, 'utf16le')
    case 10:
      return Buffer.from(text.replace('{', '{"__proto__":{"admin":true},"constructor":{"prototype":{}},'))
    default:
      return random.bytes(random.below(200))
  }
}
