import { freemem } from 'node:os'
import { Worker } from 'node:worker_threads'

/** Each of two areas that are read; both together do not fit into a cache. */
const AREA_BYTES = 64 * 1024 * 1024
const MEASURE_MS = 150

/** A machine with other things to do takes seconds to hand out the memory alone. */
const TIMEOUT_MS = 30_000

/**
 * Compares two areas bit by bit: of all that JavaScript can do, that reads at the full speed of a core. Other work on the machine
 * only slows some of the many slices down, so the upper quartile is told. A text, so that no bundler has to know of it.
 */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const { areaBytes, measureMs } = workerData
const sliceBytes = 2 * 1024 * 1024
const first = Buffer.alloc(areaBytes, 1)
const second = Buffer.alloc(areaBytes, 1)
const rates = []
const start = performance.now()
for (let at = 0; performance.now() - start < measureMs; at = (at + sliceBytes) % areaBytes) {
  const begin = performance.now()
  Buffer.compare(first.subarray(at, at + sliceBytes), second.subarray(at, at + sliceBytes))
  rates.push((2 * sliceBytes * 1000) / (performance.now() - begin))
}
rates.sort((a, b) => a - b)
parentPort.postMessage(rates[Math.floor(rates.length * 0.75)])
`

/** Bytes that one core reads from main memory in a second; undefined where memory or time do not suffice to measure. */
export async function measureReading(): Promise<number | undefined> {
  if (freemem() < 8 * AREA_BYTES) return undefined
  const workerData = { areaBytes: AREA_BYTES, measureMs: MEASURE_MS }
  const worker = new Worker(PROGRAM, { eval: true, workerData, execArgv: [] })
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const timer = setTimeout(resolve, TIMEOUT_MS)
  worker.once('message', resolve).once('error', resolve).once('exit', resolve)
  const rate = await promise
  clearTimeout(timer)
  await worker.terminate()
  return typeof rate === 'number' && rate > 1 && Number.isFinite(rate) ? rate : undefined
}
