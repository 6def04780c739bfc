import {
  type Frame,
  type ModelOffer,
  type ModelState,
  type Up,
  encodeFrame,
  encodeUp,
  textFrame,
} from '../../protocol/src/index.ts'
import { damagedText, jsonText, mutated } from './mutate-json.ts'
import { damaged, oddString } from './odd-values.ts'
import type { Random } from './random.ts'
import { ANSWER_MARK } from './secret-watch.ts'
import { WIRE_MODEL, type WireHost, type WireJob, hello } from './wire-host.ts'

/** A Session token of a Direct Connection, and who may acknowledge under it. */
export interface Grant {
  readonly token: string
  readonly sessionId: string
  readonly acknowledge: (claims: unknown) => string
}

/** What an input can draw from. */
export interface FrameScene {
  readonly host: WireHost
  /** Ids of Jobs of other Hosts. */
  readonly strangers: readonly string[]
  readonly grants: readonly Grant[]
}

/** The messages of one input. `proper` moves a Job on by the rules. */
export async function frameInput(random: Random, scene: FrameScene): Promise<(string | Uint8Array)[]> {
  const job = random.pick([...scene.host.jobs.values()]) as WireJob | undefined
  const proper = job !== undefined && random.chance(0.75)
  if (proper) return [await properMessage(random, scene, job)]
  return random.weighted<() => Promise<(string | Uint8Array)[]>>([
    [30, async () => [encodeUp(await validMessage(random, scene, job))]],
    [28, async () => [jsonText(mutated(await validMessage(random, scene, job), random))]],
    [
      6,
      async () => [damagedText(encodeUp(await validMessage(random, scene, job)), random).toString('latin1')],
    ],
    [30, async () => [binary(random, scene, job)]],
    [6, () => burst(random, scene, job)],
  ])()
}

/** The next thing that a Host does with this Job. */
async function properMessage(
  random: Random,
  { host }: FrameScene,
  job: WireJob,
): Promise<string | Uint8Array> {
  const { jobId } = job.run
  if (!job.accepted) {
    if (random.chance(0.1)) {
      host.jobs.delete(jobId)
      return encodeUp({
        type: 'refused',
        jobId,
        code: random.pick(['busy', 'draining', 'engine_failed']),
        message: 'no',
      })
    }
    job.accepted = true
    return encodeUp({ type: 'accepted', jobId, promptTokens: 10, cachedTokens: 2 })
  }
  if (job.tokens < 6 && random.chance(0.7)) {
    const tokenIds = random.pick([[1], [1, 2], [7, 8, 9]])
    const frame = encodeFrame(
      textFrame({ jobId, sequence: job.sequence++, tokenIds, text: `${ANSWER_MARK} ` }),
    )
    job.tokens += tokenIds.length
    return frame
  }
  host.jobs.delete(jobId)
  return encodeUp(await jobEnd(random, host, job, job.tokens))
}

async function jobEnd(random: Random, host: WireHost, job: WireJob, generatedTokens: number): Promise<Up> {
  const usage = { promptTokens: 10, cachedTokens: 2, generatedTokens }
  const receipt = await host.identity.receipt(job.run.jobId, job.sessionId, usage, Date.now() - 5)
  const how = random.pick([
    { outcome: 'completed', finishReason: 'stop' },
    { outcome: 'cancelled' },
    { outcome: 'failed', error: { code: 'engine_failed', message: 'it broke' } },
  ] as const)
  return { type: 'job-end', jobId: job.run.jobId, ...how, usage, receipt }
}

/** A message that its schema takes, at a time when it may make no sense. */
async function validMessage(random: Random, scene: FrameScene, job: WireJob | undefined): Promise<Up> {
  const { host } = scene
  const jobId = anyJob(random, scene, job)
  return random.weighted<() => Promise<Up>>([
    [1, async () => hello(random.chance(0.5))],
    [
      3,
      async () => ({
        type: 'status',
        freeSlots: random.pick([0, 8, 2 ** 40]),
        accepting: random.chance(0.8),
        reason: random.pick(['paused', 'no_model']),
        tokensPerSecond: 5e-324,
        models: states(random),
      }),
    ],
    [2, async () => ({ type: 'models', models: offers(random) })],
    [
      2,
      async () => ({
        type: 'settings',
        remote: random.chance(0.5),
        settings: { text: oddString(random), filler: 'x'.repeat(random.pick([0, 16_000, 17_000])) },
      }),
    ],
    [
      3,
      async () => ({
        type: 'accepted',
        jobId,
        promptTokens: random.pick([0, 10, Number.MAX_SAFE_INTEGER]),
        cachedTokens: random.pick([0, 11]),
      }),
    ],
    [
      3,
      async () => ({
        type: 'refused',
        jobId,
        code: random.pick([
          'token_budget',
          'context_length_exceeded',
          'token_invalid',
          'busy',
          'model_loading',
        ]),
        percent: random.pick([0, 100]),
        retryAfterSeconds: random.pick([1, 3_600]),
        message: oddString(random),
        promptTokens: random.pick([5, 2 ** 50]),
      }),
    ],
    [5, () => forgedEnd(random, host, jobId, job)],
    [
      2,
      async () => ({
        type: 'ack',
        commandId: `cmd_${random.hex(32)}`,
        outcome: random.pick(['done', 'failed']),
        message: oddString(random),
      }),
    ],
    [5, () => directReport(random, scene)],
  ])()
}

async function forgedEnd(
  random: Random,
  host: WireHost,
  jobId: string,
  job: WireJob | undefined,
): Promise<Up> {
  const sessionId = job?.sessionId ?? `ses_${random.hex(32)}`
  const usage = {
    promptTokens: random.pick([10, 2 ** 45]),
    cachedTokens: random.pick([0, 50]),
    generatedTokens: random.pick([0, 3, 1e9]),
  }
  const signed = await host.identity.receipt(jobId, sessionId, usage, random.pick([0, Date.now(), 8.64e15]))
  const receipt = random
    .weighted([
      [60, signed],
      [30, damaged(signed, random)],
      [10, oddString(random)],
    ] as const)
    .slice(0, 4_096)
  return {
    type: 'job-end',
    jobId,
    outcome: random.pick(['completed', 'cancelled', 'failed']),
    usage,
    receipt,
  }
}

async function directReport(random: Random, { host, grants }: FrameScene): Promise<Up> {
  const grant = random.pick(grants) as Grant | undefined
  const jobId = random.chance(0.9) ? `job_${random.hex(32)}` : `job_${'0'.repeat(32)}`
  const usage = { promptTokens: 5, cachedTokens: 0, generatedTokens: random.pick([0, 4, 1e6]) }
  const sessionId = grant?.sessionId ?? `ses_${random.hex(32)}`
  const claims = {
    aud: host.identity.hostId,
    sid: sessionId,
    jobId,
    ...usage,
    iat: Math.floor(Date.now() / 1000),
  }
  const receipt = await host.identity.receipt(jobId, sessionId, usage, Date.now() - 5)
  const spoilt = (text: string): string =>
    random.chance(0.25) ? damaged(text, random).slice(0, 4_096) : text
  return {
    type: 'direct-report',
    jobId,
    sessionToken: spoilt(grant?.token ?? receipt),
    acknowledgement: spoilt(grant?.acknowledge(claims) ?? receipt),
    receipt: spoilt(receipt),
  }
}

function states(random: Random): ModelState[] {
  const state = random.pick(['unloaded', 'loading', 'loaded', 'failed'] as const)
  return random.pick([[], [{ id: WIRE_MODEL, state: 'loaded' }], [{ id: 'another', state, percent: 50 }]])
}

/** What this Host serves, now and then under further names: its model is among it, so that it goes on getting Jobs. */
function offers(random: Random): ModelOffer[] {
  const served = { id: WIRE_MODEL, contextLength: 100_000, kinds: ['chat' as const], capabilities: ['seed'] }
  return [served, { ...served, id: 'another', aliases: random.pick([[], [WIRE_MODEL], ['x', 'x']]) }]
}

function anyJob(random: Random, { strangers }: FrameScene, job: WireJob | undefined): string {
  return random.weighted([
    [50, job?.run.jobId ?? `job_${random.hex(32)}`],
    [20, (random.pick(strangers) as string | undefined) ?? `job_${random.hex(32)}`],
    [30, `job_${random.hex(32)}`],
  ] as const)
}

/** A frame with one fault, or a good one at the wrong time, or no frame at all. */
function binary(random: Random, scene: FrameScene, job: WireJob | undefined): Uint8Array {
  if (random.chance(0.15)) return random.bytes(random.pick([0, 1, 23, 24, 25, 200]))
  if (random.chance(0.05)) return new Uint8Array(random.pick([65_536, 65_537, 70_000]))
  const sequence = random.pick([job?.sequence ?? 0, (job?.sequence ?? 0) + 1, 0, 2 ** 31, 2 ** 32 - 1])
  const tokenIds = Array.from({ length: random.pick([0, 1, 3, 500]) }, () => random.pick([0, 7, 2 ** 32 - 1]))
  const text = `${ANSWER_MARK}${random.chance(0.05) ? 'x'.repeat(60_000) : oddString(random).toWellFormed().slice(0, 1_000)}`
  const jobId = anyJob(random, scene, job)
  const frame = random.weighted<Frame>([
    [6, textFrame({ jobId, sequence, tokenIds, text })],
    [2, { kind: 'text', jobId, sequence, tokenCount: tokenIds.length, tokenIds: [], text }],
    [
      1,
      {
        ...textFrame({ jobId, sequence, tokenIds: [7], text }),
        logprobs: [{ token: text.slice(0, 40), logprob: -1, top: [] }],
      },
    ],
    [1, { kind: 'result', jobId, sequence, tokenCount: 0, last: false, text }],
  ])
  const bytes = encodeFrame(frame)
  if (random.chance(0.5)) {
    // Kind, flags, count of tokens, sequence number.
    bytes[random.below(Math.min(bytes.length, 28))] = random.below(256)
  }
  return random.chance(0.2) ? bytes.subarray(0, random.below(bytes.length)) : bytes
}

async function burst(
  random: Random,
  scene: FrameScene,
  job: WireJob | undefined,
): Promise<(string | Uint8Array)[]> {
  const size = random.pick([5, 20, 100])
  const messages: (string | Uint8Array)[] = []
  for (let sent = 0; sent < size; sent++) {
    const isText = random.chance(0.5)
    messages.push(isText ? encodeUp(await validMessage(random, scene, job)) : binary(random, scene, job))
  }
  return messages
}
