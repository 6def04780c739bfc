import type { LlamaContext, LlamaContextSequence, Token } from 'node-llama-cpp'

interface Entry {
  readonly sequence: LlamaContextSequence
  busy: boolean
  /** Order of use; 0 = never. */
  usedAt: number
}

/** The sequences of one context. Each remembers the tokens of its last job, which the next job may reuse. */
export class SequencePool {
  readonly #entries: readonly Entry[]
  #uses = 0

  constructor(context: LlamaContext) {
    this.#entries = Array.from({ length: context.totalSequences }, () => ({
      sequence: context.getSequence(),
      busy: false,
      usedAt: 0,
    }))
  }

  /**
   * A free sequence, or undefined: the one that shares most with `tokens`, if that is at least half of them; otherwise the
   * one that was unused for longest, so that a few tokens of the template in common do not cost another chat its prefix.
   */
  acquire(tokens: Token[]): LlamaContextSequence | undefined {
    let best: { entry: Entry; shared: number } | undefined
    let oldest: Entry | undefined
    for (const entry of this.#entries) {
      if (entry.busy) continue
      const shared = entry.sequence.compareContextTokens(tokens).firstDifferentIndex
      if (best === undefined || shared > best.shared) best = { entry, shared }
      if (oldest === undefined || entry.usedAt < oldest.usedAt) oldest = entry
    }
    const chosen = best !== undefined && best.shared * 2 >= tokens.length ? best.entry : oldest
    if (chosen === undefined) return undefined
    chosen.busy = true
    this.#uses++
    chosen.usedAt = this.#uses
    return chosen.sequence
  }

  release(sequence: LlamaContextSequence): void {
    const entry = this.#entries.find((candidate) => candidate.sequence === sequence)
    if (entry !== undefined) entry.busy = false
  }
}
