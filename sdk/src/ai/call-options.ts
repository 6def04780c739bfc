import type { RequestOptions } from '../options.ts'

/** What a call of the AI SDK says about its request. The AI SDK repeats nothing that fails with a `DaisiError`: the client does, under one key. */
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
    signal: call.abortSignal,
    headers: { ...common.headers, ...Object.fromEntries(own) },
  }
}
