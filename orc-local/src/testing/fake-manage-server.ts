import { once } from 'node:events'
import { createServer } from 'node:http'
import { onTestFinished } from 'vitest'

/** The management routes that the demo's first run uses, as an Orc would answer them. */
export interface FakeManageServer {
  readonly url: string
  readonly setupToken: string
  /** Paths of the POSTs that were answered or cut off. */
  readonly posts: readonly string[]
  /** The post with this number (from 1) takes effect, but its answer never arrives. */
  cutAt: number | undefined
}

/** Starts one on a free port; it ends with the test. */
export async function fakeManageServer(): Promise<FakeManageServer> {
  const posts: string[] = []
  let isSetUp = false
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    posts.push(path)
    const answer = (status: number, body: unknown): void => {
      if (posts.length === fake.cutAt) return void request.socket.destroy()
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    const id = `id-${posts.length}`
    if (path === '/api/setup' && isSetUp) {
      return answer(409, {
        error: { code: 'conflict', message: 'set up', type: 'invalid_request_error', param: null },
      })
    }
    if (path === '/api/setup') isSetUp = true
    if (path === '/api/host-enrolments') {
      return answer(201, {
        token: `enrol-${posts.length}`,
        network: 'public',
        expires_at: Date.now() / 1000 + 3600,
      })
    }
    return answer(201, { id, name: 'x', token: `token-${posts.length}`, key: `key-${posts.length}` })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const fake: FakeManageServer = {
    url: `http://127.0.0.1:${port}`,
    setupToken: 'setup',
    posts,
    cutAt: undefined,
  }
  return fake
}
