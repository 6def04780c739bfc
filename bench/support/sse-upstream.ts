// A server that streams in OpenAI's shape what the prompt says, as the mock Host does behind an Orc.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { helperOptions, say } from './child.ts'
import type { MockAnswer } from './mock-answer.ts'

interface Request {
  readonly model: string
  readonly messages: readonly { readonly content: string }[]
}

/** Chunks of one stream between two turns of the event loop. */
const BURST_CHUNKS = 32

helperOptions<object>()

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body: Request = JSON.parse(Buffer.concat(parts).toString())
    void stream(body, response)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  say({ url: `http://127.0.0.1:${port}` })
})

async function stream({ model, messages }: Request, response: ServerResponse): Promise<void> {
  const answer: MockAnswer = JSON.parse(messages.at(-1)?.content ?? '{}')
  const identity = { id: 'chatcmpl-0', object: 'chat.completion.chunk', created: 0, model }
  const write = (value: object): boolean => response.write(`data: ${JSON.stringify(value)}\n\n`)
  const choice = (delta: object, reason: string | null = null): boolean =>
    write({ ...identity, choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }] })
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  choice({ role: 'assistant', content: '' })
  const content = ' word'.repeat(answer.tokensPerFrame)
  const startedAt = performance.now()
  let tokens = 0
  for (let index = 0; tokens < answer.tokens && !response.destroyed; index++) {
    const hasRoom = choice({ content })
    tokens += answer.tokensPerFrame
    if (!hasRoom) await Promise.race([once(response, 'drain'), once(response, 'close')])
    if (answer.tokensPerSecond !== undefined) {
      const dueMs = (tokens / answer.tokensPerSecond) * 1000
      await sleep(Math.max(0, dueMs - (performance.now() - startedAt)))
    } else if (index % BURST_CHUNKS === BURST_CHUNKS - 1)
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
  }
  choice({}, 'length')
  const usage = { prompt_tokens: 16, completion_tokens: tokens, total_tokens: 16 + tokens }
  write({ ...identity, choices: [], usage })
  response.end('data: [DONE]\n\n')
}
