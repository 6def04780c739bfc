import {
  type ChatPayload,
  type CompletionPayload,
  DEFAULT_OUTPUT_TOKENS,
  type Quote,
  type QuotedHost,
  capability,
  quoteRequest,
} from '@daisi/protocol'
import { newId } from '../domain/ids.ts'
import { hold } from '../domain/money/price.ts'
import type { Choice, Choices } from '../domain/spend-order.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { hostsOf, readRequest, takeOptions } from '../http/request-options.ts'
import type { SessionFailure, SessionRecord } from '../objects/session/types.ts'
import { sessionStub } from '../objects/stubs.ts'
import { countPrompt } from '../relay/count-prompt.ts'
import { listHosts, neededHost } from '../relay/pick-hosts.ts'
import { noHost } from '../relay/refusals.ts'
import { type QuotedJob, quotedJobs } from './quoted-work.ts'

/** Hosts that a quote names at most. */
const MAX_HOSTS = 20

/** Prompt tokens of one Job, and whether a Host has counted them. */
interface Prompt {
  readonly tokens: number
  readonly exact: boolean
  /** Tokens that it can have at most. */
  readonly most: number
}

/** `POST /v1/quote` (rules G5, G6). Nothing is charged. */
export async function postQuote(c: AppContext): Promise<Response> {
  const { value: body } = await readRequest(c, quoteRequest)
  if ('daisi' in body.request) await takeOptions(c, body.request['daisi'])
  const endpoint = body.endpoint ?? 'chat.completions'
  const jobs = quotedJobs(endpoint, body.request)
  const [first] = jobs
  if (first === undefined) throw new Error('a request without Jobs')
  const reserved = await tryReserving(c, jobs)
  const { record } = reserved
  const needed = neededHost({ ...first, options: hostsOf(c).options }, false)
  const found = await listHosts(c.env, record, needed, MAX_HOSTS)
  const choices = found.ok ? found.choices : []
  const { prompts, fault } = await promptsOf(c, jobs, choices)
  const granted = jobs.map(
    ({ maxTokens }, index) => reserved.granted[index] ?? maxTokens ?? DEFAULT_OUTPUT_TOKENS,
  )
  const free = choices[0]?.sameAccount === true
  const refused = fault ?? whyNot(found, reserved.refusal, first, record)
  return c.json({
    object: 'quote',
    endpoint,
    model: first.model,
    credits: {
      minimum: sum(jobs, (job, index) => hold(prompts[index]?.tokens ?? 0, job.minTokens)),
      maximum: sum(jobs, (_, index) => hold(prompts[index]?.most ?? 0, granted[index] ?? 0)),
      held: sum(jobs, (job, index) => hold(job.prompt.estimate, granted[index] ?? 0)),
    },
    prompt: {
      tokens: sum(prompts, ({ tokens }) => tokens),
      exact: prompts.every(({ exact }) => exact),
    },
    max_tokens: sum(granted, (tokens) => tokens),
    free,
    servable: refused === undefined,
    hosts: choices.map(quotedHost),
    refusal: refused === undefined ? null : { code: refused.code, message: refused.message },
  } satisfies Quote)
}

/**
 * Holds credits for all of it as the request itself would, and gives them back at once: no other way answers the same. Throws `ApiError` if
 * it is not for lack of credits that they cannot be held.
 */
async function tryReserving(
  c: AppContext,
  jobs: readonly QuotedJob[],
): Promise<{
  readonly record: SessionRecord
  readonly granted: readonly number[]
  readonly refusal: SessionFailure | undefined
}> {
  const { caller, sessionName } = c.var.consumer
  const session = sessionStub(c.env, sessionName)
  const held: string[] = []
  const granted: number[] = []
  let record: SessionRecord | undefined
  try {
    for (const { model, maxTokens, prompt } of jobs) {
      const jobId = newId('job')
      const terms = { promptTokens: prompt.estimate, maxTokens, ownOnly: false, idempotency: undefined }
      const begun = await session.begin({ caller, jobId, model, ...terms })
      if (!begun.ok) {
        if (begun.record === undefined) throw new ApiError(begun)
        return { record: begun.record, granted, refusal: begun }
      }
      held.push(jobId)
      granted.push(begun.maxTokens)
      ;({ record } = begun)
    }
  } finally {
    await Promise.all(held.map((jobId) => sessionStub(c.env, sessionName).abandon(jobId)))
  }
  if (record === undefined) throw new Error('nothing was asked for')
  return { record, granted, refusal: undefined }
}

/** How large the prompts are. What several Jobs have in common is counted once. A Host may find one at fault. */
async function promptsOf(
  c: AppContext,
  jobs: readonly QuotedJob[],
  choices: readonly Choice[],
): Promise<{ readonly prompts: readonly Prompt[]; readonly fault: ApiError['failure'] | undefined }> {
  // To count is no reason to load a model.
  const canCount = choices.some(
    ({ model, state }) => state === 'loaded' && model.capabilities.includes(capability.countOnly),
  )
  const counts = new Map<string, Promise<number | undefined>>()
  const { caller, sessionName, config } = c.var.consumer
  try {
    const prompts = await Promise.all(
      jobs.map(async ({ counted, prompt }): Promise<Prompt> => {
        const estimated = { tokens: prompt.estimate, exact: prompt.bound === 0, most: prompt.bound }
        if (counted === undefined || !canCount) return estimated
        const key = JSON.stringify(promptOf(counted.payload(1)))
        const work = { ...counted, ...hostsOf(c) }
        const from = { caller, sessionName, config, signal: c.req.raw.signal }
        const counting = counts.get(key) ?? countPrompt(work, from, c.env)
        counts.set(key, counting)
        const tokens = await counting
        return tokens === undefined ? estimated : { tokens, exact: true, most: tokens }
      }),
    )
    return { prompts, fault: undefined }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const prompts = jobs.map(({ prompt }) => ({ tokens: prompt.estimate, exact: false, most: prompt.bound }))
    return { prompts, fault: error.failure }
  }
}

/** A payload without what differs between answers to the same prompt. */
function promptOf(payload: ChatPayload | CompletionPayload): unknown {
  return { ...payload, sampling: undefined }
}

/** What the request would be refused with now. Hosts of one's own need no credits. */
function whyNot(
  found: Choices,
  unaffordable: SessionFailure | undefined,
  job: QuotedJob,
  { network }: SessionRecord,
): Pick<SessionFailure, 'code' | 'message'> | undefined {
  if (!found.ok) return unaffordable ?? noHost(found, job, network).failure
  return found.choices.some(({ sameAccount }) => sameAccount) ? undefined : unaffordable
}

function quotedHost({
  alias,
  network,
  sameAccount,
  state,
  model,
  freeSlots,
  tokensPerSecond,
}: Choice): QuotedHost {
  return {
    host: alias,
    network,
    own: sameAccount,
    state,
    context_length: model.contextLength,
    free_slots: freeSlots,
    tokens_per_second: tokensPerSecond ?? null,
  }
}

function sum<Value>(values: readonly Value[], amount: (value: Value, index: number) => number): number {
  return values.reduce((total, value, index) => total + amount(value, index), 0)
}
