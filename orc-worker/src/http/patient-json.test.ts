import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { TextPart } from '../domain/image-list.ts'
import { ApiError } from './errors.ts'
import { patientParts } from './patient-json.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

const FAULT = new ApiError({ code: 'host_failed', message: 'It failed.' })

function part(...pieces: readonly string[]): TextPart {
  return { pieces, mayPause: true }
}

/** Parts that come when the test says. */
function slowParts() {
  const steps = Array.from({ length: 3 }, () => Promise.withResolvers<string>())
  async function* parts(): AsyncGenerator<TextPart, void> {
    for (const { promise } of steps) yield part(await promise)
  }
  return { steps, parts: parts() }
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | undefined> {
  const { value } = await reader.read()
  return value === undefined ? undefined : new TextDecoder().decode(value)
}

test('[A7] parts that are there at once leave as they are', async () => {
  async function* parts(): AsyncGenerator<TextPart, void> {
    yield part('{"a"', ':')
    yield part()
    yield part('1}')
  }
  expect(await (await patientParts(parts(), () => undefined)).json()).toEqual({ a: 1 })
})

test('[A7] a reader that waits gets spaces, before the first part and between two', async () => {
  const { steps, parts } = slowParts()
  const waiting = patientParts(parts, () => undefined)
  await vi.advanceTimersByTimeAsync(2_000)
  const reader = (await waiting).body!.getReader()
  const read: (string | undefined)[] = []
  const next = async (): Promise<void> => void read.push(await readText(reader))
  const [first, second] = steps
  for (const step of [undefined, first, undefined, second]) {
    const reading = next()
    if (step === undefined) await vi.advanceTimersByTimeAsync(1_000)
    else step.resolve(`part ${read.length}`)
    await reading
  }
  expect(read).toEqual([' ', 'part 1', ' ', 'part 3'])
})

test('[A7] where JSON allows no space, none comes', async () => {
  const rest = Promise.withResolvers<string>()
  async function* parts(): AsyncGenerator<TextPart, void> {
    yield { pieces: ['["be'], mayPause: false }
    yield part(await rest.promise)
  }
  const response = await patientParts(parts(), () => undefined)
  const text = response.text()
  await vi.advanceTimersByTimeAsync(5_000)
  rest.resolve('gun"]')
  expect(await text).toBe('["begun"]')
})

test('[A7] a part is asked for when the one before was taken', async () => {
  let asked = 0
  async function* parts(): AsyncGenerator<TextPart, void> {
    for (; asked < 9; asked++) yield part(`${asked}`, ',')
  }
  const reader = (await patientParts(parts(), () => undefined)).body!.getReader()
  for (const wanted of ['0', ',', '1']) expect(await readText(reader)).toBe(wanted)
  expect(asked).toBe(1)
})

test('[A7] a fault before the headers is an answer of its own, a later one breaks the body', async () => {
  const early = slowParts()
  early.steps[0]?.reject(FAULT)
  await expect(patientParts(early.parts, () => undefined)).rejects.toBe(FAULT)
  const late = slowParts()
  late.steps[0]?.resolve('[')
  const response = await patientParts(late.parts, () => undefined)
  late.steps[1]?.reject(FAULT)
  await expect(response.text()).rejects.toBe(FAULT)
})

test('[A7] a reader that leaves is noticed', async () => {
  const { parts } = slowParts()
  const left = vi.fn<() => void>()
  const waiting = patientParts(parts, left)
  await vi.advanceTimersByTimeAsync(2_000)
  await (await waiting).body?.cancel()
  expect(left).toHaveBeenCalledOnce()
})
