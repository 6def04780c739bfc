import type { ChatAnswer, ChatCompletion } from '@daisi/protocol/consumer'
import type { Chat, ChatParameters } from '../src/chat.ts'
import type { RequestOptions } from '../src/options.ts'

/** A chat that answers with these messages, one after the other, and remembers what it was asked. */
export class ScriptedChat implements Pick<Chat, 'create' | 'stream'> {
  readonly asked: ChatParameters[] = []
  readonly #answers: ChatAnswer[]
  readonly #finish: 'stop' | 'length'

  constructor(answers: readonly Partial<ChatAnswer>[], finish: 'stop' | 'length' = 'stop') {
    this.#answers = answers.map((answer) => ({ role: 'assistant', content: null, refusal: null, ...answer }))
    this.#finish = finish
  }

  create(request: ChatParameters, _options?: RequestOptions): Promise<ChatCompletion> {
    this.asked.push(structuredClone(request))
    const message = this.#answers.shift()
    if (message === undefined) throw new Error('asked too often')
    const { model } = request
    const finish = message.tool_calls === undefined ? this.#finish : ('tool_calls' as const)
    return Promise.resolve({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model,
      choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
      usage: {
        prompt_tokens: 1,
        completion_tokens: 1,
        total_tokens: 2,
        prompt_tokens_details: { cached_tokens: 0 },
      },
    })
  }

  stream(): never {
    throw new Error('not scripted')
  }
}

/** A call of a tool. */
export function call(id: string, name: string, args: unknown): NonNullable<ChatAnswer['tool_calls']>[number] {
  return {
    id,
    type: 'function',
    function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
  }
}
