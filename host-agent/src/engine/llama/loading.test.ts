import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '../../log.ts'
import { engineJob } from '../../testing/engine-run.ts'
import { MODEL_PATH } from '../../testing/model.ts'
import { ModelLoadError } from '../engine.ts'
import { examineModel } from './examine-model.ts'
import { inspectModel, probeGpu } from './inspect.ts'
import { type Backend, startBackend } from './llama-backend.ts'
import { LlamaSource } from './llama-source.ts'
import { toLoadError } from './load-errors.ts'
import type { LoadOptions } from './load-options.ts'
import type { ModelFacts } from './model-facts.ts'
import { LOAD_TIMEOUT_MS } from './testing/served.ts'

const whole = readFileSync(MODEL_PATH)
const folder = mkdtempSync(join(tmpdir(), 'daisi-load-'))
let backend: Backend

beforeAll(async () => {
  backend = await startBackend(false, 1)
}, LOAD_TIMEOUT_MS)
afterAll(async () => {
  await backend.llama.dispose()
  rmSync(folder, { recursive: true })
})

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

async function examine(options: Partial<LoadOptions>): Promise<ModelFacts> {
  const complete = { modelPath: MODEL_PATH, slots: 2, gpu: false, ...options }
  try {
    return (await examineModel(backend.llama, complete)).facts
  } catch (error) {
    throw toLoadError(error, complete.modelPath, await backend.complaints())
  }
}

/** The head of a GGUF file with the given counts and rest. */
function head(version: number, tensors: bigint, values: bigint, rest: Uint8Array): Buffer {
  const bytes = Buffer.alloc(24)
  bytes.write('GGUF', 'latin1')
  bytes.writeUInt32LE(version, 4)
  bytes.writeBigUInt64LE(tensors, 8)
  bytes.writeBigUInt64LE(values, 16)
  return Buffer.concat([bytes, rest])
}

/** One value whose type or length is wrong. */
function value(type: number, length: bigint): Buffer {
  const bytes = Buffer.alloc(8 + 1 + 4 + 8 + 64)
  bytes.writeBigUInt64LE(1n, 0)
  bytes.write('k', 8)
  bytes.writeUInt32LE(type, 9)
  bytes.writeBigUInt64LE(length, 13)
  return bytes
}

/** The model under the name of another architecture of the same length. */
function renamed(architecture: string): Buffer {
  const bytes = Buffer.from(whole)
  const at = bytes.indexOf('llama', bytes.indexOf('general.architecture'))
  bytes.write(architecture, at, 'latin1')
  return bytes
}

describe('a file that is no model says why', () => {
  test.each([
    ['missing', 'model_unusable', () => join(folder, 'nothing.gguf')],
    ['a folder', 'model_unusable', () => folder],
    ['empty', 'model_unusable', () => file('empty', Buffer.alloc(0))],
    ['another format', 'model_unusable', () => file('other', Buffer.from('PK\u0003\u0004 not a model'))],
    ['an older version', 'model_unsupported', () => file('v1', head(1, 1n, 1n, Buffer.alloc(99)))],
    ['a newer version', 'model_unsupported', () => file('v9', head(9, 1n, 1n, Buffer.alloc(99)))],
    ['an unknown architecture', 'model_unsupported', () => file('arch', renamed('llamo'))],
    ['the magic alone', 'model_damaged', () => file('magic', Buffer.from('GGUF'))],
    [
      'more values than bytes',
      'model_damaged',
      () => file('values', head(3, 1n, 1n << 60n, Buffer.alloc(99))),
    ],
    [
      'more tensors than bytes',
      'model_damaged',
      () => file('tensors', head(3, 1n << 63n, 0n, Buffer.alloc(99))),
    ],
    ['a text without end', 'model_damaged', () => file('text', head(3, 0n, 1n, value(8, 1n << 40n)))],
    ['an unknown type', 'model_damaged', () => file('type', head(3, 0n, 1n, value(77, 1n)))],
    ['a list in a list', 'model_damaged', () => file('list', head(3, 0n, 1n, value(9, 9n)))],
    ['cut in its head', 'model_damaged', () => file('cut-head', whole.subarray(0, 20_000))],
    ['cut in its weights', 'model_damaged', () => file('cut', whole.subarray(0, whole.length - 1))],
  ] as const)('%s: %s', async (_, code, path) => {
    const modelPath = path()
    const error = await examine({ modelPath }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ModelLoadError)
    expect(error).toMatchObject({ code, message: expect.stringContaining(modelPath) })
  })

  test('noise after the magic', async () => {
    let state = 1
    const noise = Buffer.from(
      Array.from({ length: 4_096 }, () => {
        state = (state * 1_103_515_245 + 12_345) % 2 ** 31
        return state >> 16
      }),
    )
    for (let start = 0; start < 3_000; start += 100) {
      const modelPath = file('noise', head(3, 3n, 5n, noise.subarray(start)))
      await expect(examine({ modelPath })).rejects.toMatchObject({ code: 'model_damaged' })
    }
  })
})

describe('memory', () => {
  test('the context is as long as it was trained, if there is room', async () => {
    expect(await examine({})).toMatchObject({
      trainedContext: 2_048,
      contextLength: 2_048,
      sizeBytes: whole.length,
      kinds: ['chat', 'completion', 'embedding'],
      vramBytes: 0,
    })
    expect(await examine({ contextLength: 700 })).toMatchObject({ contextLength: 700 })
  })

  test('and shorter until it fits the budget, down to 512 tokens', async () => {
    const all = await examine({ slots: 8 })
    const less = await examine({ slots: 8, memoryBytes: all.memoryBytes - 1 })
    expect(less.contextLength).toBeLessThan(2_048)
    expect(less.contextLength).toBeGreaterThan(512)
    expect(less.memoryBytes).toBeLessThan(all.memoryBytes)
    const least = await examine({ slots: 8, contextLength: 512 })
    expect(await examine({ slots: 8, memoryBytes: least.memoryBytes })).toMatchObject({ contextLength: 512 })
    await expect(examine({ slots: 8, memoryBytes: least.memoryBytes - 1 })).rejects.toMatchObject({
      code: 'not_enough_memory',
    })
  })

  test('a model larger than the machine is not tried', async () => {
    // Grown by a hole in the file: its last tensor claims what the disk need not hold.
    const modelPath = file('huge', whole)
    truncateSync(modelPath, 2 ** 40)
    const descriptor = openSync(modelPath, 'r+')
    writeSync(descriptor, grownEmbedding(whole), 0)
    closeSync(descriptor)
    await expect(examine({ modelPath })).rejects.toMatchObject({ code: 'not_enough_memory' })
  })
})

/** The head of the model with 2³⁰ times 256 weights in its embedding. */
function grownEmbedding(model: Buffer): Buffer {
  const bytes = Buffer.from(model.subarray(0, 65_632))
  const name = bytes.indexOf('token_embd.weight')
  bytes.writeBigUInt64LE(2n ** 30n, name + 'token_embd.weight'.length + 4 + 8)
  return bytes
}

describe('from the agent', () => {
  const load = { modelPath: MODEL_PATH, slots: 2, gpu: false }

  test(
    'a file is looked at in a process of its own, and opened in another',
    async () => {
      const facts = await inspectModel(load)
      expect(facts).toEqual(await examine(load))
      const source = new LlamaSource({
        id: 'nano',
        sha256: '0'.repeat(64),
        facts,
        load,
        logger: createLogger('silent', 'json'),
      })
      expect(source.offer).toMatchObject({
        id: 'nano',
        contextLength: 2_048,
        kinds: ['chat', 'completion', 'embedding'],
      })
      expect(source.memoryBytes).toBe(facts.memoryBytes)
      const told: number[] = []
      const engine = await source.open((percent) => told.push(percent), new AbortController().signal)
      try {
        expect(engine.info).toMatchObject({ contextLength: facts.contextLength, slots: 2 })
        expect(told.at(-1)).toBe(100)
        expect(told).toEqual(told.toSorted((a, b) => a - b))
        const texts: string[] = []
        for await (const event of engine.run(engineJob('ping'), new AbortController().signal))
          if (event.type === 'delta') texts.push(event.text)
        expect(texts.join('')).toBe('pong')
      } finally {
        await engine.close()
      }
    },
    LOAD_TIMEOUT_MS,
  )

  test(
    'why a file is unusable comes back from there',
    async () => {
      const modelPath = file('cut-again', whole.subarray(0, 30_000))
      await expect(inspectModel({ ...load, modelPath })).rejects.toMatchObject({ code: 'model_damaged' })
      await expect(inspectModel(load, AbortSignal.abort())).rejects.toMatchObject({
        code: 'model_load_failed',
      })
    },
    LOAD_TIMEOUT_MS,
  )

  test(
    'loading can be given up',
    async () => {
      const source = new LlamaSource({
        id: 'nano',
        sha256: '0'.repeat(64),
        facts: await examine(load),
        load,
        logger: createLogger('silent', 'json'),
      })
      const abort = new AbortController()
      const opening = source.open(() => abort.abort(), abort.signal)
      await expect(opening).rejects.toMatchObject({ code: 'model_load_failed' })
    },
    LOAD_TIMEOUT_MS,
  )

  test(
    'no graphics card is none, not an error',
    async () => {
      const gpu = await probeGpu()
      expect(gpu.totalBytes).toBeGreaterThanOrEqual(gpu.freeBytes)
      expect(gpu.devices.length > 0).toBe(gpu.type !== undefined)
    },
    LOAD_TIMEOUT_MS,
  )
})
