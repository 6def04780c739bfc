import {
  messageErrorShape,
  messageEventShape,
  messageShape,
  tokensCountShape,
} from '@daisi/protocol/testing/anthropic-shapes'
import {
  chatChunkShape,
  chatCompletionShape,
  completionShape,
  embeddingListShape,
} from '@daisi/protocol/testing/openai-shapes'
import { responseEventShape, responseShape } from '@daisi/protocol/testing/responses-shapes'
import type * as z from 'zod'

interface Shapes {
  readonly whole: z.ZodType
  readonly event?: z.ZodType
}

/** What each route answers, field by field, whole and as events. */
const SHAPES: Readonly<Record<string, Shapes>> = {
  '/v1/chat/completions': { whole: chatCompletionShape, event: chatChunkShape },
  '/v1/completions': { whole: completionShape, event: completionShape },
  '/v1/embeddings': { whole: embeddingListShape },
  '/v1/responses': { whole: responseShape, event: responseEventShape },
  '/v1/messages': { whole: messageShape, event: messageEventShape },
  '/v1/messages/count_tokens': { whole: tokensCountShape },
}

/** A `fetch` for official clients that looks at everything that they are answered. */
export class CheckedFetch {
  /** Answers and events that were looked at. */
  checked = 0
  readonly #faults: string[] = []
  readonly #looking: Promise<void>[] = []

  readonly fetch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    const { pathname } = new URL(response.url)
    this.#looking.push(this.#look(pathname, response.clone()).catch(() => undefined))
    return response
  }

  /** What did not have its published shape. */
  async faults(): Promise<readonly string[]> {
    await Promise.all(this.#looking)
    return this.#faults
  }

  async #look(path: string, response: Response): Promise<void> {
    const shapes = SHAPES[path]
    if (shapes === undefined) return
    // Who leaves early breaks the copy off, too.
    const text = await response.text()
    if (!response.ok) {
      if (path.startsWith('/v1/messages')) this.#check(path, messageErrorShape, text)
    } else if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
      this.#check(path, shapes.whole, text)
    else
      for (const [, data = ''] of text.matchAll(/^data: (.*)$/gm))
        if (data !== '[DONE]' && shapes.event !== undefined) this.#check(path, shapes.event, data)
  }

  #check(path: string, shape: z.ZodType, text: string): void {
    this.checked++
    const { error } = shape.safeParse(JSON.parse(text))
    if (error !== undefined) this.#faults.push(`${path}: ${error.message} in ${text.slice(0, 500)}`)
  }
}
