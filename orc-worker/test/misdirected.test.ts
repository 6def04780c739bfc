import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { HOST_CONNECT_PATH, HOST_SUBPROTOCOL } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { routes } from '../src/routes/table.ts'
import { newAccount, newEnrolment } from './support/orc.ts'
import { errorCode } from './support/scene.ts'
import { enrol, newHostKeys, proofOf } from './support/test-host.ts'

const app = createApp()

/** Sends a request to an Orc that goes by these names. */
async function ask(url: string, init: RequestInit = {}, hosts = 'orc.test,[::1]:8787'): Promise<Response> {
  return app.fetch(new Request(url, init), { ...env, ALLOWED_HOSTS: hosts }, createExecutionContext())
}

const everyRoute = routes.map(
  ({ method, path }) => [method, path.replaceAll(/:\w+(?:\{\.\+\})?/g, 'x')] as const,
)

test.each([
  ...everyRoute,
  ['OPTIONS', '/v1/chat/completions'],
  ['GET', '/v1/nothing'],
  ['DELETE', '/nothing'],
] as const)('%s %s is not answered under a name that is not the Orc’s', async (method, path) => {
  const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
  for (const url of [`https://evil.example${path}`, `http://[::1]:8788${path}`]) {
    const response = await ask(url, { method, headers })
    expect(response.status).toBe(421)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
  }
})

test('the refusal has a code, and each name of its own is fine', async () => {
  expect(await errorCode(await ask('https://evil.example/v1/models'))).toBe('misdirected_request')
  for (const origin of ['https://orc.test', 'https://ORC.test:9000', 'http://[0::1]:8787'])
    expect((await ask(`${origin}/health`)).status).toBe(200)
  expect((await ask('https://evil.example/health', {}, '')).status).toBe(200)
})

test.each(['a b', '*', 'http://orc.test', 'orc.test:99999'])(
  'an Orc that is told %j serves nothing',
  async (hosts) => {
    expect((await ask('https://orc.test/health', {}, hosts)).status).toBe(500)
  },
)

test('[C2] a proof that a Host made for another address is of no use, whatever name it is passed on under', async () => {
  const keys = await newHostKeys()
  await enrol(keys, (await newEnrolment(await newAccount('owner'))).token)
  const passOn = async (origin: string, hosts?: string): Promise<number> => {
    const headers = {
      upgrade: 'websocket',
      'sec-websocket-protocol': HOST_SUBPROTOCOL,
      authorization: `Bearer ${await proofOf(keys, { origin: 'evil.example' })}`,
    }
    return (await ask(`https://${origin}${HOST_CONNECT_PATH}`, { headers }, hosts)).status
  }
  expect(await passOn('evil.example')).toBe(421)
  expect(await passOn('orc.test')).toBe(401)
  // Only the list of names stands between.
  expect(await passOn('evil.example', '')).toBe(101)
})
