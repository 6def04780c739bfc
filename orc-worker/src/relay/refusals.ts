import type { Refused } from '@daisi/protocol'
import type { PickResult } from '../domain/pick.ts'
import { ApiError } from '../http/errors.ts'

type NoHostReason = Exclude<PickResult, { ok: true }>['reason']

const REASONS: Readonly<Record<NoHostReason, string>> = {
  no_host_online: 'no Host is online',
  no_host_serves_model: 'no online Host serves it',
  no_host_accepts_work: 'every Host that serves it is paused',
}

/** No Host can take the Job: told at once, with the reason. */
export function noHost(reason: NoHostReason, model: string, network: string | null): ApiError {
  return new ApiError({
    code: 'no_host_available',
    message: `Model ${quote(model)} is not available in ${places(network)}: ${REASONS[reason]}. GET /v1/models lists what is.`,
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
export function refusal(refused: Refused, model: string): ApiError {
  if (refused.code === 'context_length_exceeded') {
    const { promptTokens = 0, contextLength = 0 } = refused
    const numbers = `The prompt has ${promptTokens} tokens; ${quote(model)} takes ${contextLength} with its answer`
    return new ApiError({
      code: 'context_length_exceeded',
      message: `${numbers}. Shorten the messages.`,
      param: 'messages',
    })
  }
  const message = `${quote(model)} cannot take this conversation: its template refuses the roles or their order. Change the messages.`
  return new ApiError({ code: 'invalid_request', message, param: 'messages' })
}

function places(network: string | null): string {
  return network === null ? 'the Networks of this key' : `Network ${network}`
}

// Names come from the caller: cut and quoted, they cannot pass for our own words.
function quote(name: string): string {
  return JSON.stringify(name.slice(0, 128))
}
