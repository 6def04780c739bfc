import type { OwnerWishes } from '../policy/owner-wishes.ts'

/** What `hello` says of the owner's wishes and no other message does (H10, D1). */
export class AnnouncedWishes {
  readonly #owner: OwnerWishes
  #announced = ''

  constructor(owner: OwnerWishes) {
    this.#owner = owner
  }

  /** They stand in a `hello` now. */
  announce(): void {
    this.#announced = this.#present
  }

  /** True if another `hello` is needed. */
  get areOutdated(): boolean {
    return this.#present !== this.#announced
  }

  get #present(): string {
    const { networks, direct } = this.#owner.settings
    return JSON.stringify([networks, direct])
  }
}
