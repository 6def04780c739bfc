import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectedSpeed } from './expected-speed.ts'
import { gpuBandwidth } from './gpu-bandwidth.ts'
import type { Hardware } from './hardware.ts'
import { describeAdapter, memoryOf, probeHardware } from './probe-hardware.ts'
import { proposeModels } from './propose-models.ts'

const GB = 1e9
const MIB = 1024 ** 2
const gpu = { type: 'cuda', devices: ['NVIDIA GeForce RTX 3090'], totalBytes: 24 * GB, freeBytes: 23 * GB }
const slow: Pick<Hardware, 'gpu' | 'readBytesPerSecond' | 'diskFreeBytes'> = {
  gpu: undefined,
  readBytesPerSecond: 32 * GB,
  diskFreeBytes: 100 * GB,
}
const fast = { ...slow, gpu }

test('this machine has a processor, memory and a disk, and its memory can be measured', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'daisi-hardware-'))
  const none = { type: undefined, devices: [], totalBytes: 0, freeBytes: 0 }
  const hardware = await probeHardware({ modelsFolder: join(folder, 'not', 'there'), gpu: none })
  expect(hardware.gpu).toBeUndefined()
  await rm(folder, { recursive: true })
  expect(hardware.cpu.model).not.toBe('')
  expect(hardware.cpu.threads).toBeGreaterThan(0)
  expect(hardware.cpu.physicalCores).toBeGreaterThan(0)
  expect(hardware.memory.freeBytes).toBeGreaterThan(0)
  expect(hardware.memory.freeBytes).toBeLessThanOrEqual(hardware.memory.totalBytes)
  expect(hardware.diskFreeBytes).toBeGreaterThan(0)
  // Between the slowest machine alive and caches that pretend to be memory.
  expect(hardware.readBytesPerSecond).toBeGreaterThan(0.1 * GB)
  expect(hardware.readBytesPerSecond).toBeLessThan(1_000 * GB)
})

test.each([
  ['no limit', 0, 6, { totalBytes: 10, freeBytes: 6 }],
  ['a limit beyond all there is', 2 ** 64, 6, { totalBytes: 10, freeBytes: 6 }],
  ['a limit', 4, 6, { totalBytes: 4, freeBytes: 4 }],
])('memory: %s', (_, limit, available, memory) => {
  expect(memoryOf(limit, available, 10)).toEqual(memory)
})

test('graphics adapters for people', () => {
  const nvidia = { vendor: 'NVIDIA', model: 'NVIDIA GeForce RTX 3090', vram: 24_576, vramDynamic: false }
  expect(describeAdapter(nvidia)).toEqual({ name: 'NVIDIA GeForce RTX 3090', memoryBytes: 24_576 * MIB })
  const shared = { vendor: 'Intel', model: 'UHD Graphics', vram: 256, vramDynamic: true }
  expect(describeAdapter(shared)).toEqual({ name: 'Intel UHD Graphics', memoryBytes: undefined })
})

test.each([
  ['NVIDIA GeForce RTX 3090', 936],
  ['NVIDIA GeForce RTX 4070 Ti', 504],
  ['NVIDIA H200', 4_800],
  ['NVIDIA GeForce RTX 4090 Laptop GPU', 1_008 * 0.6],
  ['Apple M1', 68],
  ['Apple M2 Pro', 200],
  ['AMD Radeon RX 7900 XTX', 960],
  ['Matrox G200', undefined],
])('the memory of %s', (name, gigabytes) => {
  const bandwidth = gpuBandwidth(name)
  if (gigabytes === undefined) expect(bandwidth).toBeUndefined()
  else expect(bandwidth).toBeCloseTo(gigabytes * GB, -3)
})

test('expected speed: as measured on a core that reads 32 GB/s, and by the GPU’s memory', () => {
  const measured = expectedSpeed(540e6, slow, 'cpu')
  expect(measured).toBeGreaterThan(40)
  expect(measured).toBeLessThan(48)
  expect(expectedSpeed(5 * GB, fast, 'gpu')).toBeCloseTo((936 * 0.6) / 5)
  expect(expectedSpeed(5 * GB, fast, 'cpu')).toBe(expectedSpeed(5 * GB, slow, 'cpu'))
  const unknown = { ...slow, gpu: { ...gpu, devices: ['Somebody’s GPU'] } }
  expect(expectedSpeed(5 * GB, unknown, 'gpu')).toBe(expectedSpeed(5 * GB, slow, 'cpu'))
  const two = { ...slow, gpu: { ...gpu, devices: ['RTX 3090', 'RTX 3060'] } }
  expect(expectedSpeed(1 * GB, two, 'gpu')).toBeCloseTo(240 * 0.6)
  expect(expectedSpeed(1, { gpu: undefined, readBytesPerSecond: undefined }, 'cpu')).toBeUndefined()
})

const sizes = { tiny: 0.4, small: 2, medium: 5, large: 18, huge: 60, vast: 400 }
const entries = Object.entries(sizes).map(([id, size]) => ({ id, sizeBytes: size * GB }))
const order = (
  hardware: typeof slow,
  budget: { mainBytes: number; gpuBytes: number },
): readonly (readonly [string, string])[] =>
  proposeModels(entries, hardware, budget).map(({ entry, fits }) => [entry.id, fits] as const)

test('without a GPU: the largest that is fast enough, then the slow ones, then what has no room', () => {
  expect(order(slow, { mainBytes: 24 * GB, gpuBytes: 0 })).toEqual([
    ['small', 'cpu'],
    ['tiny', 'cpu'],
    ['medium', 'cpu'],
    ['large', 'cpu'],
    ['huge', 'no'],
    ['vast', 'no'],
  ])
})

test('with a GPU: what fits it, then main memory', () => {
  expect(order(fast, { mainBytes: 100 * GB, gpuBytes: 21.6 * GB })).toEqual([
    ['large', 'gpu'],
    ['medium', 'gpu'],
    ['small', 'gpu'],
    ['tiny', 'gpu'],
    ['huge', 'cpu'],
    ['vast', 'no'],
  ])
})

test('why: memory, disk, speed', () => {
  const why = (hardware: typeof slow, mainBytes: number): (string | undefined)[] =>
    proposeModels([{ id: 'one', sizeBytes: 4 * GB }], hardware, { mainBytes, gpuBytes: 0 }).map(
      ({ fits, reason }) => `${fits}: ${reason}`,
    )
  expect(why(slow, 8 * GB)).toEqual(['cpu: on the CPU, 4.9 GB, about 6.0 tokens/s (slow)'])
  expect(why(slow, 4 * GB)).toEqual(['no: needs 4.9 GB of memory; models may take 4.0 GB here'])
  expect(why({ ...slow, diskFreeBytes: 3 * GB }, 8 * GB)).toEqual([
    'no: needs 4.0 GB of disk; 3.0 GB are free',
  ])
  expect(why({ ...slow, readBytesPerSecond: undefined }, 8 * GB)).toEqual(['cpu: on the CPU, 4.9 GB'])
})

test('the same order for the same models, however they come', () => {
  const budget = { mainBytes: 24 * GB, gpuBytes: 0 }
  const twins = [...entries, { id: 'another', sizeBytes: 2 * GB }]
  expect(proposeModels(twins.toReversed(), slow, budget)).toEqual(proposeModels(twins, slow, budget))
})
