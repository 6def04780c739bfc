import { logEvent } from '../../log.ts'
import { inTurns } from '../in-turns.ts'
import { isOpenedSession, plainSessionName, sessionStub } from '../stubs.ts'
import type { ConsumerSession } from './object.ts'
import { tooManyOpened } from './refusals.ts'
import type { SessionStorage } from './storage.ts'
import type { NewSession, SessionFailure } from './types.ts'

/** Sessions and browser tokens that one key can have open: all are told of a change before whoever made it is answered. */
const MAX_OPENED = 1_000
/** Of these, told at the same time. */
const TOLD_AT_ONCE = 50

/** The Sessions and browser tokens that were opened with a key and have not ended, as the plain Session of the key knows them. */
export class OpenedSessions {
  readonly #storage: SessionStorage
  readonly #env: Env
  constructor(storage: SessionStorage, env: Env) {
    this.#storage = storage
    this.#env = env
  }

  /** Remembers one until it ends. Answers a refusal if the key has too many (rule S4). */
  add({ name, expiresAt }: NewSession, now: number): SessionFailure | undefined {
    const { count, nextEnd } = this.#storage.countOpenedSessions(now)
    if (count >= MAX_OPENED) return tooManyOpened(MAX_OPENED, nextEnd - now)
    this.#storage.addOpenedSession(name, expiresAt)
    return undefined
  }

  /** One was closed, or was not opened after all: it makes room for another. */
  remove(name: string): void {
    this.#storage.removeOpenedSession(name)
  }

  /** Tells every one. Where some cannot be told the others are told all the same; then it rejects. */
  tell(work: (session: DurableObjectStub<ConsumerSession>) => Promise<void>): Promise<void> {
    const names = this.#storage.openedSessions(Date.now())
    return inTurns(names, (name) => work(sessionStub(this.#env, name)), TOLD_AT_ONCE)
  }

  /** From within one that was closed: its key may open another instead. Where that cannot be told, once this one would have ended. */
  async leave(name: string | undefined, keyHash: string): Promise<void> {
    if (name === undefined || !isOpenedSession(name)) return
    await sessionStub(this.#env, plainSessionName(keyHash))
      .disown(name)
      .catch((error: unknown) => logEvent('disowning_failed', { error }))
  }
}
