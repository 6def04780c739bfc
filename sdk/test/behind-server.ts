import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Fetch } from '../src/options.ts'

/** Puts a fake behind a real server, whose address is `base`. */
export function behindServer(
  peer: { readonly fetch: Fetch },
  base: () => string,
): (incoming: IncomingMessage, response: ServerResponse) => void {
  return (incoming, response) => {
    void (async () => {
      const { method = 'GET', url = '' } = incoming
      const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [
        name,
        String(value),
      ])
      const leave = new AbortController()
      response.once('close', () => leave.abort())
      const body = await text(incoming)
      const init: RequestInit = { method, headers, body, redirect: 'manual', signal: leave.signal }
      const answer = await peer.fetch(base() + url, init)
      for (const [name, value] of answer.headers) response.setHeader(name, value)
      response.writeHead(answer.status)
      for await (const bytes of answer.body ?? []) response.write(bytes)
      response.end()
    })()
  }
}
