// The least that a streaming server in Node can do: reads the request and answers the same events at once.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { helperOptions, say } from './child.ts'

helperOptions<object>()

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const { model }: { model: string } = JSON.parse(Buffer.concat(parts).toString())
    const identity = { id: 'chatcmpl-0', object: 'chat.completion.chunk', created: 0, model }
    const choice = (delta: object, reason: string | null): object => ({
      ...identity,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
    })
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    })
    const write = (value: object): void => void response.write(`data: ${JSON.stringify(value)}\n\n`)
    write(choice({ role: 'assistant', content: '' }, null))
    write(choice({ content: ' word' }, null))
    write(choice({}, 'length'))
    write({ ...identity, choices: [], usage: { prompt_tokens: 16, completion_tokens: 1, total_tokens: 17 } })
    response.end('data: [DONE]\n\n')
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  say({ url: `http://127.0.0.1:${port}` })
})
