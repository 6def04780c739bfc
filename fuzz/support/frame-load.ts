import { STATUS } from '../../orc-worker/src/http/errors.ts'
import { PROMPT_MARK } from './secret-watch.ts'
import type { World } from './world.ts'
import { WIRE_MODEL } from './wire-host.ts'

const CLIENTS = 6
const PATIENCE_MS = 10_000
/** What may become of a Job whose Host does whatever it likes. */
const EXPECTED = new Set([
  'host_failed',
  'host_lost',
  'host_timeout',
  'no_host_available',
  'all_hosts_busy',
  'context_length_exceeded',
  'insufficient_credits',
  // What these Hosts say when they refuse is made up, too.
  'model_loading',
  'invalid_request',
])

/** Clients that ask all the time, so that what the fuzzer's Hosts send meets running Jobs. */
export class FrameLoad {
  readonly #world: World
  readonly #key: string
  readonly #clients: Promise<void>[]
  readonly #fail: (what: string) => void
  readonly #answered: (how: string) => void
  #stopped = false

  constructor(world: World, key: string, fail: (what: string) => void, answered: (how: string) => void) {
    this.#world = world
    this.#key = key
    this.#fail = fail
    this.#answered = answered
    this.#clients = Array.from({ length: CLIENTS }, (_, client) => this.#ask(client))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#clients)
  }

  async #ask(client: number): Promise<void> {
    for (let turn = 0; !this.#stopped && this.#world.dead.length === 0; turn++) {
      const stream = (client + turn) % 2 === 0
      // Some leave early.
      const patience = turn % 7 === 6 ? 30 : PATIENCE_MS
      try {
        const response = await fetch(new URL('/v1/chat/completions', this.#world.url), {
          method: 'POST',
          headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            model: WIRE_MODEL,
            messages: [{ role: 'user', content: `${PROMPT_MARK} ${client} ${turn}` }],
            max_tokens: 50,
            stream,
          }),
          signal: AbortSignal.timeout(patience),
        })
        const text = await response.text()
        this.#judge(response.status, text, stream)
        if (response.status === 503) await new Promise((resolve) => setTimeout(resolve, 20))
      } catch (error) {
        if (patience === PATIENCE_MS) this.#fail(`a request while frames came: ${describe(error)}`)
      }
    }
  }

  #judge(status: number, text: string, stream: boolean): void {
    this.#answered(`asked ${status}`)
    if (status === 200) {
      if (stream && !text.trimEnd().endsWith('data: [DONE]') && !text.includes('"error"'))
        this.#fail('a stream just stopped')
      return
    }
    const code = /"code":\s*"(\w+)"/.exec(text)?.[1] ?? ''
    if (!EXPECTED.has(code) || STATUS[code as keyof typeof STATUS] !== status)
      this.#fail(`a request while frames came: ${status} ${text.slice(0, 100)}`)
  }
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${describe(error.cause)})` : ''
  return String(error) + cause
}
