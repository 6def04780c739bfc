import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { DIRECT_LIMITS } from './direct-server.ts'
import { readBody } from './read-body.ts'

test('a body whose sender went before it was asked for is over, and nobody waits for it', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const asked = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf of it')
  const [request, response] = await asked
  const gone = new Promise((resolve) => void request.on('close', resolve))
  client.destroy()
  await gone
  expect(await readBody(request, response, { ...DIRECT_LIMITS, mostBytes: 1_000 })).toBeUndefined()
})
