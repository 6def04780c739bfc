import type { IdleReason } from '@daisi/protocol'
import type { Outcome } from '../outcome.ts'
import { type OwnerSettings, ownerSettings } from '../state/owner-settings.ts'
import type { OwnerPatch, OwnerWishes } from '../policy/owner-wishes.ts'

/** An owner who wants what the test says, and nothing is kept on disk. */
export class WillingOwner implements OwnerWishes {
  settings: OwnerSettings
  reason: IdleReason | undefined
  readonly #listeners = new Set<() => void>()

  constructor(settings: Partial<OwnerSettings> = {}) {
    this.settings = ownerSettings.parse(settings)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  declines(texts: Iterable<string>): boolean {
    return [...texts].some((text) => this.settings.blocklist.some((word) => text.includes(word)))
  }

  async change(patch: OwnerPatch): Promise<Outcome<OwnerSettings>> {
    this.settings = ownerSettings.parse({ ...this.settings, ...patch })
    this.#changed()
    return { ok: true, value: this.settings }
  }

  /** No work is taken any more, for this reason; undefined: it is again. */
  becomes(reason: IdleReason | undefined): void {
    this.reason = reason
    this.#changed()
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
