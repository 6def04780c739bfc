import { once } from 'node:events'
import { createServer } from 'node:http'

/** A proxy in front of an Orc that loses answers, as a network does. */
export interface LossyProxy extends AsyncDisposable {
  readonly url: string
  /** Method, path and `Idempotency-Key` of every request that went through. */
  readonly seen: readonly { readonly path: string; readonly key: string | undefined }[]
  /** Bodies that the Orc answered and nobody got. */
  readonly lost: readonly string[]
}

/** Starts one that drops the first `losses` answers to a POST, after the Orc has given them in full. */
export async function startLossyProxy(target: string, losses: number): Promise<LossyProxy> {
  const seen: { path: string; key: string | undefined }[] = []
  const lost: string[] = []
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { method = 'GET', url = '/', headers } = request
      seen.push({ path: `${method} ${url}`, key: headers['idempotency-key']?.toString() })
      const body = Buffer.concat(await Array.fromAsync(request))
      const upstream = await fetch(target + url, {
        method,
        headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
          HOP_BY_HOP.has(name) ? [] : [[name, String(value)]],
        ),
        ...(method === 'POST' ? { body } : {}),
      })
      const text = await upstream.text()
      if (method === 'POST' && lost.length < losses) {
        lost.push(text)
        return void request.socket.destroy()
      }
      response.writeHead(upstream.status, Object.fromEntries(upstream.headers)).end(text)
    }
    answer().catch(() => request.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    lost,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const HOP_BY_HOP = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive'])
