// A Host without a model, in a process of its own. It is enrolled, speaks the real wire and signs real receipts; what it
// answers stands in the prompt.
import {
  HOST_CONNECT_PATH,
  HOST_SUBPROTOCOL,
  PING_INTERVAL_MS,
  PROTOCOL_VERSION,
  type Run,
  type Up,
  chatPayload,
  decodeDown,
  encodeFrame,
  textFrame,
  encodeUp,
} from '@daisi/protocol'
import { decodeJwt } from 'jose'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { helperOptions, say } from './child.ts'
import { HostIdentity } from './host-identity.ts'
import type { MockAnswer } from './mock-answer.ts'

interface Options {
  readonly orcUrl: string
  readonly enrolmentToken: string
  readonly model: string
  readonly slots: number
}

/** A Host says at most this often how many slots are free (rule H4). */
const STATUS_INTERVAL_MS = 200
/** Frames of one stream between two turns of the event loop. */
const BURST_FRAMES = 32
const PROMPT_TOKENS = 16

const options = helperOptions<Options>()
const identity = await HostIdentity.enrol(options.orcUrl, options.enrolmentToken)
const url = new URL(HOST_CONNECT_PATH, options.orcUrl)
url.protocol = 'ws:'
const socket = new WebSocket(url, HOST_SUBPROTOCOL, {
  headers: { authorization: `Bearer ${await identity.proof()}` },
  perMessageDeflate: false,
})
const windows = new Map<string, { bytes: number; wake: () => void }>()
const cancelled = new Set<string>()
let messages = 0
let running = 0
let statusDue: NodeJS.Timeout | undefined

socket.on('error', (error) => {
  process.stderr.write(`mock Host: ${error.message}\n`)
  process.exit(1)
})
socket.on('close', (code) => {
  process.stderr.write(`mock Host: the Orc closed with ${code}\n`)
  process.exit(1)
})
socket.on('open', () => {
  send({
    type: 'hello',
    protocol: { version: PROTOCOL_VERSION, minimum: PROTOCOL_VERSION },
    agent: { name: 'mock-host', version: '0' },
    models: [
      {
        id: options.model,
        sha256: 'a'.repeat(64),
        contextLength: 1_000_000,
        kinds: ['chat'],
        capabilities: [],
      },
    ],
    slots: { total: options.slots, free: options.slots, queue: 16 },
    accepting: true,
    running: [],
  })
  setInterval(() => socket.send('ping'), PING_INTERVAL_MS)
})
socket.on('message', (data, isBinary) => {
  messages++
  if (isBinary || !Buffer.isBuffer(data)) return
  const decoded = decodeDown(data.toString())
  if (decoded.kind !== 'message') return
  const { message } = decoded
  if (message.type === 'welcome') say({ hostId: identity.hostId })
  if (message.type === 'run') void serve(message)
  if (message.type === 'cancel') {
    cancelled.add(message.jobId)
    windows.get(message.jobId)?.wake()
  }
  if (message.type !== 'credit') return
  const window = windows.get(message.jobId)
  if (window === undefined) return
  window.bytes += message.bytes
  window.wake()
})
process.on('message', () => say({ messages }))

async function serve(run: Run): Promise<void> {
  const startedAt = Date.now()
  const { messages: turns } = chatPayload.parse(run.payload)
  const answer: MockAnswer = JSON.parse(turns.at(-1)?.content ?? '{}')
  changeRunning(1)
  send({ type: 'accepted', jobId: run.jobId, promptTokens: PROMPT_TOKENS, cachedTokens: 0 })
  const generatedTokens = await stream(run, answer)
  const usage = { promptTokens: PROMPT_TOKENS, cachedTokens: 0, generatedTokens }
  const sessionId = String(decodeJwt(run.sessionToken)['sid'])
  const receipt = await identity.receipt(run.jobId, sessionId, usage, startedAt)
  const wasCancelled = cancelled.delete(run.jobId)
  const outcome = wasCancelled ? ({ outcome: 'cancelled' } as const) : ({ outcome: 'completed' } as const)
  const reason = wasCancelled ? {} : { finishReason: 'length' as const }
  send({ type: 'job-end', jobId: run.jobId, ...outcome, ...reason, usage, receipt })
  changeRunning(-1)
}

/** Sends frames as the answer says, never more than the window holds (rule F5). Returns the tokens sent. */
async function stream(run: Run, answer: MockAnswer): Promise<number> {
  const tokenIds = Array.from({ length: answer.tokensPerFrame }, (_, index) => index)
  const text = ' word'.repeat(answer.tokensPerFrame)
  const window = { bytes: run.windowBytes, wake: (): void => undefined }
  windows.set(run.jobId, window)
  const startedAt = performance.now()
  let tokens = 0
  for (let sequence = 0; tokens < answer.tokens && !cancelled.has(run.jobId); sequence++) {
    const frame = encodeFrame(textFrame({ jobId: run.jobId, sequence, tokenIds, text }))
    while (window.bytes < frame.length && !cancelled.has(run.jobId)) {
      await new Promise<void>((resolve) => {
        window.wake = resolve
      })
    }
    window.bytes -= frame.length
    messages++
    socket.send(frame)
    tokens += answer.tokensPerFrame
    const elapsedMs = performance.now() - startedAt
    if (answer.seconds !== undefined && elapsedMs >= answer.seconds * 1000) break
    if (answer.tokensPerSecond !== undefined) {
      await sleep(Math.max(0, (tokens / answer.tokensPerSecond) * 1000 - elapsedMs))
    } else if (sequence % BURST_FRAMES === BURST_FRAMES - 1) {
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
  }
  windows.delete(run.jobId)
  return tokens
}

function changeRunning(by: 1 | -1): void {
  running += by
  statusDue ??= setTimeout(() => {
    statusDue = undefined
    send({ type: 'status', freeSlots: Math.max(0, options.slots - running), accepting: true })
  }, STATUS_INTERVAL_MS)
}

function send(message: Up): void {
  messages++
  socket.send(encodeUp(message))
}
