import { randomUUID } from 'node:crypto'
import type { RestlessAnswer } from '../../bench/support/restless-job.ts'
import type { ChaosRequest } from './ask.ts'
import { CHAOS_MODEL } from './fleet.ts'
import type { Scope } from './own-book.ts'

/** Most tokens of an answer, from a word to several checkpoints of the Orc's meter. */
const LENGTHS = [1, 10, 60, 300, 900]
const SPEEDS = [0, 0, 150, 400, 1_500]
const MAX_TOKENS_PER_FRAME = 16
const MAX_PROMPT_TOKENS = 60
const STREAM_SHARE = 0.65

/** A request of random length and speed. With `keyed` it may be sent again. */
export function randomRequest(scope: Scope, keyed: boolean, random: () => number): ChaosRequest {
  const id = randomUUID()
  const promptTokens = 1 + Math.floor(random() * MAX_PROMPT_TOKENS)
  const answer: RestlessAnswer = {
    request: id,
    tokens: Math.ceil(oneOf(LENGTHS, random) * (0.5 + random() / 2)),
    tokensPerFrame: 1 + Math.floor(random() * MAX_TOKENS_PER_FRAME),
    tokensPerSecond: oneOf(SPEEDS, random),
    promptTokens,
    cachedTokens: random() < 0.5 ? 0 : Math.floor(random() * promptTokens),
  }
  const stream = random() < STREAM_SHARE
  const body = JSON.stringify({
    model: CHAOS_MODEL,
    messages: [{ role: 'user', content: JSON.stringify(answer) }],
    max_tokens: answer.tokens,
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
  })
  return { id, scope, body, stream, idempotencyKey: keyed ? id : undefined }
}

export function oneOf<Item>(items: readonly [Item, ...Item[]] | readonly Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)] as Item
}
