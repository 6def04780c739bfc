/** One broken expectation, with how to see it again. */
export interface Finding {
  readonly area: string
  /** Number of the input; undefined where no single input is known to be the cause. */
  readonly index: number | undefined
  readonly what: string
  /** The request as curl, or the messages as text and hex. */
  readonly reproduction: string
}

/** Findings of one kind that are shown; more are only counted. */
const SHOWN_OF_A_KIND = 3

/** What was sent, how it was answered, and what broke an expectation. */
export class Tally {
  readonly #areas = new Map<string, { inputs: number; ms: number; answers: Map<string, number> }>()
  readonly #kinds = new Map<string, Finding[]>()
  readonly #counts = new Map<string, number>()
  failures = 0

  input(area: string, count = 1): void {
    this.#area(area).inputs += count
  }

  /** A status, a close code, or another way in which something was answered. */
  answered(area: string, how: string): void {
    const { answers } = this.#area(area)
    answers.set(how, (answers.get(how) ?? 0) + 1)
  }

  took(area: string, ms: number): void {
    this.#area(area).ms += ms
  }

  fail(finding: Finding): void {
    this.failures++
    const kind = `${finding.area}: ${finding.what.replaceAll(/[0-9a-f]{8,}|\d{3,}/g, '#').slice(0, 120)}`
    const known = this.#kinds.get(kind) ?? []
    if (known.length < SHOWN_OF_A_KIND) known.push(finding)
    this.#kinds.set(kind, known)
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
  }

  get inputs(): number {
    return [...this.#areas.values()].reduce((sum, { inputs }) => sum + inputs, 0)
  }

  get areas(): ReadonlyMap<
    string,
    { readonly inputs: number; readonly ms: number; readonly answers: ReadonlyMap<string, number> }
  > {
    return this.#areas
  }

  /** Findings by kind, with how often each was met. */
  get findings(): readonly { readonly count: number; readonly examples: readonly Finding[] }[] {
    return [...this.#kinds].map(([kind, examples]) => ({ count: this.#counts.get(kind) ?? 0, examples }))
  }

  failuresIn(area: string): number {
    return [...this.#counts].reduce(
      (sum, [kind, count]) => sum + (kind.startsWith(`${area}: `) ? count : 0),
      0,
    )
  }

  #area(area: string): { inputs: number; ms: number; answers: Map<string, number> } {
    const known = this.#areas.get(area) ?? { inputs: 0, ms: 0, answers: new Map() }
    this.#areas.set(area, known)
    return known
  }
}
