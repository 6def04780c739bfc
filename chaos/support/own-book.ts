import type { WorkDone } from '../../bench/support/restless-job.ts'

/** Where requests are charged: a Secret Key's own Session, or one that it opened. */
export interface Scope {
  readonly name: string
  readonly key: string
  /** Absent for the key's own Session. */
  readonly sessionId?: string
  /** True if all requests of the Session carry one `Idempotency-Key`. */
  readonly single: boolean
}

interface OwnEntry {
  /** Credits of the answer that came to its end, or undefined. */
  completed: number | undefined
  /** Job → credits of the work that a Host did for it. */
  readonly work: Map<string, number>
}

/** What a Session may have charged, going by what its client and the Hosts saw. */
export interface Bounds {
  /** Answers that came to their end. */
  readonly completedJobs: number
  /** Requests for which any Host sent any token. */
  readonly workedRequests: number
  /** Credits of the answers that came to their end. Each must be charged, once. */
  readonly lower: number
  /** The same, and for every other request what the busiest Host did for it. */
  readonly upper: number
}

/** What the load itself knows: it believes the Orc in nothing but the `usage` of answers that came to their end. */
export class OwnBook {
  readonly #entries = new Map<string, OwnEntry>()
  readonly #scopes = new Map<string, { readonly scope: Scope; readonly entries: OwnEntry[] }>()
  readonly outcomes = new Map<string, number>()
  readonly faults: string[] = []

  get requests(): number {
    return this.#entries.size
  }
  get scopes(): readonly Scope[] {
    return [...this.#scopes.values()].map(({ scope }) => scope)
  }

  begin(request: string, scope: Scope): void {
    const entry: OwnEntry = { completed: undefined, work: new Map() }
    const known = this.#scopes.get(scope.name) ?? { scope, entries: [] }
    known.entries.push(entry)
    this.#scopes.set(scope.name, known)
    this.#entries.set(request, entry)
  }

  count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
  }

  completed(request: string, credits: number): void {
    const entry = this.#entries.get(request)
    if (entry === undefined) return
    if (entry.completed !== undefined) this.faults.push(`request ${request} was answered twice under one key`)
    entry.completed = credits
  }

  /** What Hosts say they did; of what is said of a Job more than once, the most counts. */
  worked(work: readonly WorkDone[]): void {
    for (const { request, jobId, credits } of work) {
      const entry = this.#entries.get(request)
      if (entry === undefined) this.faults.push(`a Host worked for the unknown request ${request}`)
      entry?.work.set(jobId, Math.max(credits, entry.work.get(jobId) ?? 0))
    }
  }

  /** Credits of everything that Hosts did. */
  totalWork(): number {
    const jobs = [...this.#entries.values()].flatMap(({ work }) => [...work.values()])
    return jobs.reduce((sum, credits) => sum + credits, 0)
  }

  /** Of one Session, or of all. */
  bounds(scope?: Scope): Bounds {
    const entries =
      scope === undefined ? [...this.#entries.values()] : (this.#scopes.get(scope.name)?.entries ?? [])
    const most = entries.map(({ work }) => Math.max(0, ...work.values()))
    return {
      completedJobs: entries.filter(({ completed }) => completed !== undefined).length,
      workedRequests: most.filter((credits) => credits > 0).length,
      lower: entries.reduce((sum, { completed }) => sum + (completed ?? 0), 0),
      upper: entries.reduce((sum, { completed }, index) => sum + (completed ?? most[index] ?? 0), 0),
    }
  }
}
