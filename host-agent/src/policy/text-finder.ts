const ROOT = 0

/** Codes of UTF-16 units. */
const UNITS = 65_536

/** A beginning of one of the texts to find. */
interface State {
  /** The same without its last unit. */
  readonly parent: number
  readonly unit: number
  /** Units. */
  readonly depth: number
  /** Where to go on when no step leads further: the longest end of this that is also a beginning. */
  fallback: number
  /** True if a text to find ends here. */
  isEnd: boolean
}

/**
 * Finds out whether a text contains one of many (Aho and Corasick's automaton): in time that grows with the text alone, however
 * many there are and whatever the text was made to be like.
 */
export class TextFinder {
  /** State and unit, as one number, to the next state. */
  readonly #steps = new Map<number, number>()
  readonly #states: State[] = [{ parent: ROOT, unit: 0, depth: 0, fallback: ROOT, isEnd: false }]
  /** 1 for units that a text to find begins with. */
  readonly #firsts = new Uint8Array(UNITS)

  /** `texts`: none empty. */
  constructor(texts: readonly string[]) {
    for (const text of texts) this.#add(text)
    this.#link()
  }

  isIn(text: string): boolean {
    let state = ROOT
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (state === ROOT && this.#firsts[unit] === 0) continue
      state = this.#next(state, unit)
      if (this.#states[state]?.isEnd === true) return true
    }
    return false
  }

  #next(from: number, unit: number): number {
    let state = from
    while (true) {
      const next = this.#steps.get(state * UNITS + unit)
      if (next !== undefined) return next
      if (state === ROOT) return ROOT
      state = this.#states[state]?.fallback ?? ROOT
    }
  }

  #add(text: string): void {
    let state = ROOT
    this.#firsts[text.charCodeAt(0)] = 1
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      const next = this.#steps.get(state * UNITS + unit) ?? this.#states.length
      if (next === this.#states.length) {
        this.#steps.set(state * UNITS + unit, next)
        this.#states.push({ parent: state, unit, depth: index + 1, fallback: ROOT, isEnd: false })
      }
      state = next
    }
    const last = this.#states[state]
    if (last !== undefined) last.isEnd = true
  }

  /** Sets the fallbacks, those of short beginnings first: a longer one builds on them. */
  #link(): void {
    for (const state of this.#states.toSorted((a, b) => a.depth - b.depth)) {
      if (state.depth < 2) continue
      state.fallback = this.#next(this.#states[state.parent]?.fallback ?? ROOT, state.unit)
      if (this.#states[state.fallback]?.isEnd === true) state.isEnd = true
    }
  }
}
