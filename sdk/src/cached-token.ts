import type { BrowserToken } from '@daisi/protocol/consumer'

/** A token this close to its end is replaced, so that none expires on its way to the Orc. */
const EARLY_MS = 30_000

/**
 * An `apiKey` for pages: fetches a token from your own server when the last one is about to end. Calls made at the same time
 * share one fetch; one that fails is not remembered.
 *
 * @example
 * ```ts
 * const apiKey = cachedToken(async () => (await fetch('/daisi-token', { method: 'POST' })).json())
 * const daisi = new Daisi({ baseURL: 'https://orc.example.com/v1', apiKey })
 * ```
 */
export function cachedToken(
  fetchToken: () => Promise<Pick<BrowserToken, 'token' | 'expires_at'>>,
  now: () => number = Date.now,
): () => Promise<string> {
  let current: ReturnType<typeof fetchToken> | undefined
  return async () => {
    const earlier = current
    if (earlier !== undefined) {
      const { token, expires_at: expiresAt } = await earlier
      if (expiresAt * 1_000 - EARLY_MS > now()) return token
    }
    // Whoever waited for the same old token finds the fetch that the first of them began.
    if (current !== undefined && current !== earlier) return (await current).token
    const fetched = fetchToken()
    current = fetched
    fetched.catch(() => {
      if (current === fetched) current = undefined
    })
    return (await fetched).token
  }
}
