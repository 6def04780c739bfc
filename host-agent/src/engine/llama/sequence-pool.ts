import type { LlamaContext, LlamaContextSequence, Token } from 'node-llama-cpp'

interface Entry {
  readonly sequence: LlamaContextSequence
  busy: boolean
  /** Whose tokens it has, see `EngineJob`. */
  scope: string | undefined
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
      scope: undefined,
      usedAt: 0,
    }))
  }

  /**
   * A free sequence, or undefined: the one that shares most with `tokens`, if that is at least half of them; otherwise the
   * one that was unused for longest, so that a few tokens of the template in common do not cost another chat its prefix. One that
   * has tokens of another scope shares nothing, and is emptied.
   */
  async acquire(tokens: Token[], scope?: string): Promise<LlamaContextSequence | undefined> {
    let best: { entry: Entry; shared: number } | undefined
    let oldest: Entry | undefined
    for (const entry of this.#entries) {
      if (entry.busy) continue
      const shared =
        entry.scope === scope ? entry.sequence.compareContextTokens(tokens).firstDifferentIndex : 0
      if (best === undefined || shared > best.shared) best = { entry, shared }
      if (oldest === undefined || entry.usedAt < oldest.usedAt) oldest = entry
    }
    const chosen = best !== undefined && best.shared * 2 >= tokens.length ? best.entry : oldest
    if (chosen === undefined) return undefined
    chosen.busy = true
    this.#uses++
    chosen.usedAt = this.#uses
    if (chosen.scope === scope) return chosen.sequence
    try {
      await chosen.sequence.clearHistory()
    } catch (error) {
      chosen.busy = false
      throw error
    }
    chosen.scope = scope
    return chosen.sequence
  }

  release(sequence: LlamaContextSequence): void {
    const entry = this.#entries.find((candidate) => candidate.sequence === sequence)
    if (entry !== undefined) entry.busy = false
  }
}
