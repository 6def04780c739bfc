import type { RequestOptions } from '../options.ts'

/** What a call of the AI SDK says about its request. It retries by itself, so that we do not. */
export function requestOptions(
  common: RequestOptions,
  call: {
    readonly abortSignal?: AbortSignal | undefined
    readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  },
): RequestOptions {
  const own = Object.entries(call.headers ?? {}).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return {
    ...common,
    maxRetries: 0,
    signal: call.abortSignal,
    headers: { ...common.headers, ...Object.fromEntries(own) },
  }
}
