import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../../protocol/src/consumer/types.ts'
import { seededRandom } from '../../bench/support/stats.ts'
import { type ChaosRequest, type Outcome, ask } from './ask.ts'
import { OwnBook, type Scope } from './own-book.ts'
import type { People } from './people.ts'
import { randomRequest } from './requests.ts'

const KEYED_SHARE = 0.4
/** Share of requests whose client leaves within half a second. */
const LEAVE_SHARE = 0.12
const LEAVE_WITHIN_MS = 500
/** Share of answered requests that are sent again with the same key, which must be refused. */
const REPEAT_SHARE = 0.2
/** How often a request is sent again at once; then it waits for a later turn. */
const TRIES = 3
/** Clients that send such requests again while the load lasts, and after it. */
const RETRIERS = 3
const RESOLVERS = 12
/** Requests in one shared Session before the next is opened. */
const REQUESTS_IN_SESSION = 25
/** Most credits of such a Session: some run out. */
const SESSION_BUDGET = 12_000
const PAUSE_MS = 40
/** Who has no credits asks less often. */
const BROKE_PAUSE_MS = 400
/** Refusals that pass by themselves. */
const PASSING: readonly string[] = [
  'storage_unavailable',
  'no_host_available',
  'all_hosts_busy',
  'host_lost',
  'host_timeout',
  'internal_error',
]

/** Clients that ask all the time, each on its own, whatever becomes of the Orc. */
export class Load {
  readonly book = new OwnBook()
  readonly #orcUrl: string
  readonly #random: () => number
  /** Requests with a key of which it is not known whether they were charged. */
  readonly #unresolved: ChaosRequest[] = []
  #workers: Promise<void>[] = []
  #stopped = false

  constructor(orcUrl: string, random: () => number) {
    this.#orcUrl = orcUrl
    this.#random = random
  }

  get unresolved(): number {
    return this.#unresolved.length
  }

  start({ rich, poor, opener }: People): void {
    const plain = (name: string, key: string): Scope => ({ name, key, single: false })
    const scopes = [
      ...rich.keys.flatMap((key, index) => [plain(`rich ${index}`, key), plain(`rich ${index}`, key)]),
      ...poor.keys.map((key, index) => plain(`poor ${index}`, key)),
      ...opener.keys.map((key, index) => plain(`opener ${index}`, key)),
    ]
    const [openersKey = ''] = opener.keys
    this.#workers = [
      ...scopes.map((scope) => this.#repeat((random) => this.#one(scope, random))),
      this.#repeat((random) => this.#inSharedSession(openersKey, random)),
      this.#repeat((random) => this.#inSingleSession(openersKey, random)),
      ...Array.from({ length: RETRIERS }, () => this.#repeat((random) => this.#oneUnresolved(random))),
    ]
  }

  /** No new requests. Resolves when the running ones have ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#workers)
  }

  /** Sends every request whose fate is open once more. */
  async resolve(): Promise<void> {
    const requests = this.#unresolved.splice(0)
    const worker = async (): Promise<void> => {
      for (let request = requests.pop(); request !== undefined; request = requests.pop())
        await this.#send(request, 1)
    }
    await Promise.all(Array.from({ length: RESOLVERS }, worker))
  }

  async #repeat(one: (random: () => number) => Promise<void>): Promise<void> {
    const random = seededRandom(Math.floor(this.#random() * 2 ** 32))
    while (!this.#stopped) {
      await one(random)
      await sleep(random() * PAUSE_MS)
    }
  }

  async #one(scope: Scope, random: () => number): Promise<void> {
    const request = this.#begin(scope, random() < KEYED_SHARE, random)
    const leaveAfterMs = random() < LEAVE_SHARE ? random() * LEAVE_WITHIN_MS : undefined
    const answered = await this.#send(request, TRIES, leaveAfterMs)
    if (answered && request.idempotencyKey !== undefined && random() < REPEAT_SHARE)
      await this.#repetition(request)
  }

  async #inSharedSession(key: string, random: () => number): Promise<void> {
    const scope = await this.#openSession(key, { budget: SESSION_BUDGET }, 'shared')
    if (scope === undefined) return
    for (let count = 0; count < REQUESTS_IN_SESSION && !this.#stopped; count++) await this.#one(scope, random)
    const headers = { authorization: `Bearer ${key}` }
    const url = new URL(`/v1/sessions/${scope.sessionId}`, this.#orcUrl)
    // Half of them are closed, the others forgotten.
    if (random() < 0.5) await fetch(url, { method: 'DELETE', headers }).catch(() => undefined)
  }

  /** One request with a key in a Session of its own: what the Session charged is what the key was charged. */
  async #inSingleSession(key: string, random: () => number): Promise<void> {
    const scope = await this.#openSession(key, {}, 'single')
    if (scope === undefined) return
    const request = this.#begin(scope, true, random)
    if (await this.#send(request, TRIES)) await this.#repetition(request)
  }

  async #oneUnresolved(random: () => number): Promise<void> {
    const [request] = this.#unresolved.splice(Math.floor(random() * this.#unresolved.length), 1)
    if (request !== undefined) await this.#send(request, 1)
    await sleep(PAUSE_MS * 4)
  }

  #begin(scope: Scope, keyed: boolean, random: () => number): ChaosRequest {
    const request = randomRequest(scope, keyed, random)
    this.book.begin(request.id, scope)
    return request
  }

  /** Sends a request, and again where it has a key and nobody knows what became of it. True if it was answered. */
  async #send(request: ChaosRequest, tries: number, leaveAfterMs?: number): Promise<boolean> {
    for (let count = 0; count < tries; count++) {
      if (count > 0) await sleep(PAUSE_MS)
      const outcome = await ask(this.#orcUrl, request, leaveAfterMs)
      this.book.count(outcome.kind === 'refused' || outcome.kind === 'failed' ? outcome.code : outcome.kind)
      if (outcome.kind === 'completed') {
        this.book.completed(request.id, outcome.credits)
        return true
      }
      if (outcome.kind === 'refused' && outcome.code === 'insufficient_credits') await sleep(BROKE_PAUSE_MS)
      if (request.idempotencyKey === undefined || !isOpen(outcome)) return false
    }
    this.#unresolved.push(request)
    return false
  }

  async #repetition(request: ChaosRequest): Promise<void> {
    const outcome = await ask(this.#orcUrl, request)
    if (outcome.kind === 'completed') this.book.completed(request.id, outcome.credits)
    const expected = outcome.kind !== 'refused' || outcome.code === 'request_already_processed'
    // The Session may be told of the end a moment after its client.
    const early = outcome.kind === 'refused' && outcome.code === 'request_in_progress'
    if (!expected && !early && !isPassing(outcome)) {
      this.book.faults.push(`an answered request was answered ${JSON.stringify(outcome)} the second time`)
    }
  }

  async #openSession(key: string, body: object, kind: 'shared' | 'single'): Promise<Scope | undefined> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    try {
      const response = await fetch(new URL('/v1/sessions', this.#orcUrl), init)
      if (!response.ok) return undefined
      const { id } = (await response.json()) as Session
      return { name: `${kind} ${id}`, key, sessionId: id, single: kind === 'single' }
    } catch {
      return undefined
    }
  }
}

/** True if a request that went like this may have been charged or not, or may yet be answered. */
function isOpen(outcome: Outcome): boolean {
  if (outcome.kind === 'completed') return false
  if (outcome.kind !== 'refused') return true
  return outcome.code === 'request_in_progress' || isPassing(outcome)
}

function isPassing(outcome: Outcome): boolean {
  return outcome.kind === 'refused' && PASSING.includes(outcome.code)
}
