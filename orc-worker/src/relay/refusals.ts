import type { Refused } from '@daisi/protocol'
import type { Choices } from '../domain/spend-order.ts'
import { ApiError } from '../http/errors.ts'
import type { JobRequest } from './attempts.ts'

/** Seconds after which to ask again for a model that is being loaded, where no Host can tell. */
const DEFAULT_LOADING_SECONDS = 5

/** Characters of a Host's own words that are shown. */
const MAX_HOST_WORDS = 300

type NoHost = Extract<Choices, { ok: false }>

const REASONS: Readonly<Record<Exclude<NoHost['reason'], 'no_host_has_capabilities'>, string>> = {
  no_host_online: 'no Host is online',
  no_host_allowed: 'no Host that the request allows (Daisi-Host, Daisi-Exclude-Hosts) is online',
  no_host_serves_model: 'no online Host serves it',
  model_failed: 'no Host that serves it could load it',
  no_host_accepts_work: 'every Host that serves it is paused',
}

/** No Host can take the Job: told at once, with the reason. `needs` are those of the Job. */
export function noHost(
  { reason, missing = [] }: Pick<NoHost, 'reason' | 'missing'>,
  { model, needs = [] }: Pick<JobRequest, 'model' | 'needs'>,
  network: string | null,
): ApiError {
  if (reason === 'no_host_has_capabilities') {
    const named = needs.filter((need) => missing.includes(need.capability)).map((need) => need.parameter)
    const list = named.map((name) => `\`${name}\``).join(', ')
    const message = `No Host that serves ${quote(model)} in ${places(network)} can honour ${list}. Leave it out.`
    const [param] = named
    return new ApiError({ code: 'unsupported_parameter', message, ...(param === undefined ? {} : { param }) })
  }
  return new ApiError({
    code: 'no_host_available',
    message: `Model ${quote(model)} is not available in ${places(network)}: ${REASONS[reason]}. GET /v1/models lists what is.`,
    retryAfterSeconds: 5,
  })
}

/** The model is not loaded yet where it is served (rule J9). Told with the best that any of the Hosts could say. */
export function loading(refused: readonly Refused[], model: string, network: string | null): ApiError {
  const percents = refused.flatMap(({ percent }) => percent ?? [])
  const waits = refused.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? [])
  const percent = percents.length === 0 ? undefined : Math.max(...percents)
  const seconds = waits.length === 0 ? DEFAULT_LOADING_SECONDS : Math.min(...waits)
  const progress = percent === undefined ? 'being loaded' : `being loaded (${percent} %)`
  return new ApiError({
    code: 'model_loading',
    message: `Model ${quote(model)} is ${progress} in ${places(network)}. Try again in ${seconds} s.`,
    retryAfterSeconds: seconds,
    ...(percent === undefined ? {} : { percent }),
  })
}

/** The owner of every Host that could take the Job lets it not work on such prompts. */
export function declined(model: string, network: string | null): ApiError {
  return new ApiError({
    code: 'no_host_available',
    message: `Every Host that serves ${quote(model)} in ${places(network)} declined this prompt: their owners do not work on such. Change it, or ask for another model.`,
    retryAfterSeconds: 5,
  })
}

/** Every Host that could take the Job is full. */
export function busy(model: string, network: string | null): ApiError {
  return new ApiError({
    code: 'all_hosts_busy',
    message: `Every Host that serves ${quote(model)} in ${places(network)} is busy. Try again shortly.`,
    retryAfterSeconds: 2,
  })
}

/** Every Host that was asked was lost before it accepted. */
export function lostBefore(): ApiError {
  const message = 'The Host was lost before it began. Nothing was charged. Send the request again.'
  return new ApiError({ code: 'host_lost', message, retryAfterSeconds: 1 })
}

/** A Host refused the request itself (`context_length_exceeded`, `invalid_payload`); another would too. */
export function refusal(refused: Refused, { model, fields }: Pick<JobRequest, 'model' | 'fields'>): ApiError {
  if (refused.code === 'context_length_exceeded') {
    const { promptTokens = 0, contextLength = 0 } = refused
    const { prompt: param } = fields
    return new ApiError({
      code: 'context_length_exceeded',
      message: `The prompt has ${promptTokens} tokens; ${quote(model)} takes ${contextLength} with its answer. Shorten it.`,
      ...(param === undefined ? {} : { param }),
    })
  }
  const param = refused.field === undefined ? undefined : fields[refused.field]
  return new ApiError({
    code: 'invalid_request',
    message: `${quote(model)} cannot take this request. Its Host says: ${hostsWords(refused.message)}`,
    ...(param === undefined ? {} : { param }),
  })
}

/** What a Host says, cut and quoted: it cannot pass for our own words. */
function hostsWords(message: string): string {
  return JSON.stringify(message.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, MAX_HOST_WORDS))
}

function places(network: string | null): string {
  return network === null ? 'the Networks of this key' : `Network ${network}`
}

// Names come from the caller: cut and quoted, they cannot pass for our own words.
function quote(name: string): string {
  return JSON.stringify(name.slice(0, 128))
}
