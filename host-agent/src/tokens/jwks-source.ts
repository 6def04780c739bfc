import {
  createLocalJWKSet,
  type CryptoKey,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
} from 'jose'
import type { Clock } from '../clock.ts'
import type { StoredKeySet } from '../state/orc-record.ts'

/** An unknown key makes this Host ask the Orc again, at most this often (T7). */
export const REFETCH_INTERVAL_MS = 30_000

/** Keys older than this are fetched again in the background, so that a withdrawn key does not live on for long. */
const REFRESH_AGE_MS = 60 * 60 * 1000

/** Where keys come from and where they are kept. */
export interface JwksSourceOptions {
  readonly clock: Clock
  /** Asks the Orc. Rejects when it cannot be asked. */
  readonly fetchKeys: () => Promise<StoredKeySet>
  /** Keys of an earlier run. */
  readonly stored: StoredKeySet | undefined
  /** Keeps keys for the next run. Must not reject: keys in memory are good enough. */
  readonly store: (keys: StoredKeySet) => Promise<void>
}

/** An Orc's public keys: in memory, on disk, and asked for again when a token names one that is not among them (T7). */
export class JwksSource {
  readonly #options: JwksSourceOptions
  #keys: StoredKeySet | undefined
  #fetchedAt = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | undefined

  constructor(options: JwksSourceOptions) {
    this.#options = options
    this.#keys = options.stored
  }

  /** The key for a token, for `jwtVerify`. */
  readonly getKey = async (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> => {
    const now = this.#options.clock.now()
    if (now - this.#fetchedAt > REFRESH_AGE_MS && this.#keys !== undefined) void this.refresh()
    try {
      return await this.#find(header, token)
    } catch (error) {
      const unknown = error instanceof errors.JWKSNoMatchingKey
      if (!unknown || (now - this.#fetchedAt < REFETCH_INTERVAL_MS && this.#fetching === undefined))
        throw error
      await this.refresh()
      return this.#find(header, token)
    }
  }

  /** Asks the Orc now. Resolves even if it cannot be asked: the old keys then stay. */
  refresh(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  /** Resolves when nothing is being asked or stored. */
  async settled(): Promise<void> {
    await this.#fetching
  }

  async #fetch(): Promise<void> {
    this.#fetchedAt = this.#options.clock.now()
    try {
      this.#keys = await this.#options.fetchKeys()
    } catch {
      return
    }
    await this.#options.store(this.#keys)
  }

  #find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const keys = this.#keys ?? { keys: [] }
    return createLocalJWKSet(keys)(header, token)
  }
}
