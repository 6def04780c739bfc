// A Host without a model, in a process of its own, for an Orc that is killed again and again: it comes back by itself, at
// once and as the same Host, signs real receipts, ends late what the last connection left open, and keeps account of every
// token it sent.
import {
  HOST_CONNECT_PATH,
  HOST_SUBPROTOCOL,
  PING_INTERVAL_MS,
  PROTOCOL_VERSION,
  type Run,
  type Up,
  chatPayload,
  decodeDown,
  encodeUp,
} from '@daisi/protocol'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { helperOptions, say } from './child.ts'
import { HostIdentity, type SavedIdentity } from './host-identity.ts'
import { RestlessJob, type RestlessAnswer, type WorkDone } from './restless-job.ts'
import { seededRandom } from './stats.ts'

/** What the program is started with. */
export interface RestlessHostOptions {
  readonly identity: SavedIdentity
  readonly model: string
  readonly slots: number
  readonly seed: number
}

/** What it may be asked: for the work since the last time, or to end at once, in the middle of whatever it does. */
export interface RestlessHostQuestion {
  readonly die: boolean
}

const RECONNECT_MS = 40
/** Share of Jobs cut off by the Orc's end whose receipts are sent on the next connection, and again after that. */
const LATE_RECEIPT_SHARE = 0.7
const REPEATED_RECEIPT_SHARE = 0.2

const options = helperOptions<RestlessHostOptions>()
const random = seededRandom(options.seed)
const identity = await HostIdentity.restore(options.identity)
const url = new URL(HOST_CONNECT_PATH, options.identity.orcUrl)
url.protocol = 'ws:'
const jobs = new Map<string, RestlessJob>()
/** What changed since it was last asked for. */
const worked = new Map<string, RestlessJob>()
/** Ends of Jobs whose connection is gone. */
let late: Up[] = []
let greeted = false
let dead = false

process.on('message', (question: RestlessHostQuestion) => {
  dead = question.die
  const work: WorkDone[] = [...worked.values()].map((job) => job.work())
  worked.clear()
  for (const job of jobs.values()) worked.set(job.id, job)
  process.send?.({ work }, undefined, undefined, () => {
    if (dead) process.kill(process.pid, 'SIGKILL')
  })
})

for (;;) {
  await converse().catch(() => undefined)
  await sleep(RECONNECT_MS)
}

/** One connection, from the proof to its end. */
async function converse(): Promise<void> {
  if (dead) return
  const socket = new WebSocket(url, HOST_SUBPROTOCOL, {
    headers: { authorization: `Bearer ${await identity.proof()}` },
    perMessageDeflate: false,
    handshakeTimeout: 5_000,
  })
  const pinging = setInterval(() => {
    if (socket.readyState === WebSocket.OPEN) socket.send('ping')
  }, PING_INTERVAL_MS)
  const send = (message: Up): void => {
    if (!dead && socket.readyState === WebSocket.OPEN) socket.send(encodeUp(message))
  }
  socket.on('open', () => send(hello()))
  socket.on('message', (data, isBinary) => {
    if (isBinary || !Buffer.isBuffer(data)) return
    const decoded = decodeDown(data.toString())
    if (decoded.kind !== 'message') return
    const { message } = decoded
    if (message.type === 'welcome') onWelcome(send)
    if (message.type === 'run') void serve(message, socket, send)
    if (message.type === 'cancel') jobs.get(message.jobId)?.cancel()
    if (message.type === 'credit') jobs.get(message.jobId)?.grant(message.bytes)
  })
  await new Promise<void>((resolve) => {
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
  })
  clearInterval(pinging)
  socket.terminate()
  for (const job of jobs.values()) job.cancel()
}

function onWelcome(send: (message: Up) => void): void {
  if (!greeted) say({ hostId: identity.hostId })
  greeted = true
  const ends = late
  late = []
  for (const end of ends) {
    if (random() >= LATE_RECEIPT_SHARE) continue
    send(end)
    if (random() < REPEATED_RECEIPT_SHARE) late.push(end)
  }
}

async function serve(run: Run, socket: WebSocket, send: (message: Up) => void): Promise<void> {
  const { messages } = chatPayload.parse(run.payload)
  const answer: RestlessAnswer = JSON.parse(messages.at(-1)?.content ?? '{}')
  const job = new RestlessJob(run, answer)
  if (jobs.size >= options.slots) {
    return send({ type: 'refused', jobId: run.jobId, code: 'busy', message: 'all slots are taken' })
  }
  jobs.set(run.jobId, job)
  worked.set(run.jobId, job)
  const { promptTokens, cachedTokens } = answer
  send({ type: 'accepted', jobId: run.jobId, promptTokens, cachedTokens })
  await job.stream((frame) => {
    if (dead || socket.readyState !== WebSocket.OPEN) return false
    socket.send(frame)
    return true
  })
  const end = await job.end(identity)
  jobs.delete(run.jobId)
  if (socket.readyState === WebSocket.OPEN) send(end)
  else late.push(end)
}

function hello(): Up {
  const capacity = { total: options.slots, free: Math.max(0, options.slots - jobs.size), queue: 0 }
  return {
    type: 'hello',
    protocol: { version: PROTOCOL_VERSION, minimum: PROTOCOL_VERSION },
    agent: { name: 'restless-host', version: '0' },
    models: [
      {
        id: options.model,
        sha256: 'a'.repeat(64),
        contextLength: 100_000,
        kinds: ['chat'],
        capabilities: [],
      },
    ],
    slots: capacity,
    accepting: true,
    running: [],
  }
}
