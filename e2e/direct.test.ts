import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { CompletionUsage } from '@daisi/protocol/consumer'
import { runTools, tool } from 'daisi-sdk'
import { pinnedFetch } from 'daisi-sdk/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { makeSelfSigned } from '../orc-local/src/tls/self-signed.ts'
import { errorCode } from './support/chat.ts'
import { emptyFolder } from './support/demo.ts'
import { type DirectHost, freePort, openConnection, RawConsumer, startDirectHost } from './support/direct.ts'
import { goldenConversations, hold } from './support/golden.ts'
import { type Network, startNetwork } from './support/network.ts'
import { weather, weatherAnswer, weatherQuestion } from './support/tools.ts'

const MODEL = 'daisi-nano'
/** For what two processes tell each other. */
const PATIENT = { timeout: 15_000 }
const REQUEST = { model: MODEL, temperature: 0, messages: [{ role: 'user', content: 'Hello' }] } as const

let network: Network
let direct: DirectHost

beforeAll(async () => {
  network = await startNetwork()
  direct = await startDirectHost(network)
})
afterAll(async () => {
  await direct?.way[Symbol.asyncDispose]()
  await network?.stop()
})

function price({ total_tokens: total, prompt_tokens_details: details }: CompletionUsage): number {
  return total - details.cached_tokens
}

test('[D4, D8, P5] direct answers are the orchestrated ones, and what was acknowledged is what is paid', async () => {
  const consumer = await network.newConsumer()
  const earnedBefore = await network.gained(network.owner)
  const { direct: connection, paid } = await openConnection(network, consumer, { model: MODEL })
  const conversations = goldenConversations()
  const multiTurn = conversations.find(({ turns }) => turns.length > 1)
  const chosen = [...conversations.slice(0, 4), ...(multiTurn === undefined ? [] : [multiTurn])]
  let expected = 0
  for (const conversation of chosen) {
    const whole = await hold(conversation, async (messages) => {
      const answer = await connection.chat.create({ model: MODEL, temperature: 0, messages })
      expect([connection.mode, connection.failure]).toEqual(['direct', undefined])
      expected += price(answer.usage)
      return answer.choices[0]?.message.content ?? ''
    })
    const streamed = await hold(conversation, async (messages) => {
      const stream = await connection.chat.stream({ model: MODEL, temperature: 0, messages })
      const text = (await Array.fromAsync(stream.textDeltas())).join('')
      expected += price((await stream.final()).usage)
      return text
    })
    const orchestrated = await hold(conversation, async (messages) => {
      const answer = await network.consumer.daisi.chat.create({ model: MODEL, temperature: 0, messages })
      return answer.choices[0]?.message.content ?? ''
    })
    const golden = conversation.turns.map(({ answer }) => answer)
    expect([whole, streamed, orchestrated]).toEqual([golden, golden, golden])
  }
  await expect.poll(paid, PATIENT).toBe(expected)
  await network.settle(network.consumer)
  const spentElsewhere = 0 - (await network.gained(network.consumer.account))
  expect(await network.balance(consumer.account)).toMatchObject({ spent: expected })
  expect((await network.gained(network.owner)) - earnedBefore).toBe(expected + spentElsewhere)
  await connection.close()
  await network.expectBalanced()
})

test('[D4] tools are called directly as well', async () => {
  const consumer = await network.newConsumer()
  const { direct: connection, paid } = await openConnection(network, consumer, { model: MODEL })
  const weatherTool = tool({
    name: 'get_weather',
    description: 'Get the current weather for a city',
    parameters: z.object({ city: z.string().describe('City name') }),
    run: () => weather,
  })
  const { text, messages, completions } = await runTools(connection.chat, {
    model: MODEL,
    temperature: 0,
    tools: [weatherTool],
    messages: [{ role: 'user', content: weatherQuestion }],
  })
  expect([text, connection.mode, connection.failure]).toEqual([weatherAnswer, 'direct', undefined])
  expect(messages).toHaveLength(4)
  await connection.close()
  // Calls are acknowledged, and so paid, as text is.
  const costs = completions.map(({ usage }) => usage.total_tokens - usage.prompt_tokens_details.cached_tokens)
  await expect.poll(paid, PATIENT).toBe(costs.reduce((sum, cost) => sum + cost, 0))
})

test('[D2, D3] a token from the wire is worth nothing without its key, and a proof works once', async () => {
  const raw = new RawConsumer()
  const { direct: grant } = await raw.open(network, await network.newConsumer(), MODEL)
  const otherProof = raw.proof(grant, 'another body')
  const first = await raw.chat(grant)
  expect(await first.text()).toContain('data: [DONE]')
  const [wire = ''] = direct.way.sent.split('POST ').filter((request) => request.includes(grant.token))
  // Whoever listens has token and proof, and makes a key of their own.
  const stolen = { ...grant, token: /authorization: DPoP (\S+)/i.exec(wire)?.[1] ?? '' }
  const usedProof = /dpop: (ey\S+)/i.exec(wire)?.[1] ?? ''
  expect(stolen.token).toBe(grant.token)
  const thief = new RawConsumer()
  const codes: unknown[] = []
  for (const attempt of [
    thief.chat(stolen),
    thief.chat(stolen, { proof: usedProof }),
    thief.chat(stolen, { proof: otherProof }),
    thief.chat(stolen, { scheme: 'Bearer' }),
  ]) {
    const response = await attempt
    codes.push([response.status, await errorCode(response)])
  }
  expect(codes).toEqual([
    [401, 'proof_invalid'],
    [409, 'job_replayed'],
    [401, 'proof_invalid'],
    [401, 'token_invalid'],
  ])
  // Another Host does not take it, even from who has the key.
  const other = await startDirectHost(network, { model: 'other' })
  const elsewhere = await raw.chat({ ...grant, endpoint: other.way.url })
  expect([elsewhere.status, await errorCode(elsewhere)]).toEqual([401, 'token_audience'])
  await other.way.close()
  const headers = { authorization: `Bearer ${stolen.token}` }
  const atOrc = await fetch(`${network.url}/v1/models`, { headers })
  expect([atOrc.status, await errorCode(atOrc)]).toEqual([401, 'invalid_api_key'])
})

test('[D9] a revoked key: the Host refuses its token, and the way around through the Orc is closed too', async () => {
  const consumer = await network.newConsumer()
  const raw = new RawConsumer()
  const { direct: grant } = await raw.open(network, consumer, MODEL)
  const { direct: connection } = await openConnection(network, consumer, { model: MODEL })
  await connection.chat.create(REQUEST)
  expect(connection.mode).toBe('direct')
  await network.revoke(consumer)
  await expect
    .poll(async () => {
      const response = await raw.chat(grant)
      return response.ok ? response.body?.cancel() : errorCode(response)
    }, PATIENT)
    .toBe('token_invalid')
  const refusals = (): number => direct.way.received.split('"code":"token_invalid"').length
  const before = refusals()
  await expect(connection.chat.create(REQUEST)).rejects.toMatchObject({
    code: 'invalid_api_key',
    status: 401,
  })
  expect(refusals()).toBe(before + 1)
})

test('[D7] a Host that cannot be reached is gone around, and the answer is the same', async () => {
  const consumer = await network.newConsumer()
  const host = await startDirectHost(network, { model: 'unreachable' })
  const request = { ...REQUEST, model: 'unreachable' }
  const { direct: connection, paid } = await openConnection(network, consumer, { model: 'unreachable' })
  const near = await connection.chat.create(request)
  expect(connection.mode).toBe('direct')
  await host.way.close()
  const around = await connection.chat.create(request)
  expect([connection.mode, connection.failure?.code]).toEqual(['orchestrated', 'connection_error'])
  expect(around.choices).toEqual(near.choices)
  // Of the two only this one came from the Orc.
  expect(host.host.jobs).toBe(1)
  await expect.poll(paid, PATIENT).toBe(price(near.usage))
  const strict = openConnection(network, consumer, { model: 'unreachable', fallback: false })
  await expect(strict).rejects.toMatchObject({ code: 'connection_error' })
})

test('[D1, D10] over TLS only the certificate that the Orc names is trusted', async () => {
  const folder = await emptyFolder()
  const files = { certificate: join(folder, 'own.pem'), key: join(folder, 'own.key') }
  const names = { hosts: [], addresses: ['127.0.0.1'] }
  const own = await makeSelfSigned(names, new Date())
  await writeFile(files.certificate, own.certificate)
  await writeFile(files.key, own.key, { mode: 0o600 })
  const port = await freePort()
  const tls = ['--direct-cert', files.certificate, '--direct-key', files.key]
  const args = ['--direct', `127.0.0.1:${port}`, ...tls]
  const host = await network.startedHost({ model: 'secure', args })
  const consumer = await network.newConsumer()
  const request = { ...REQUEST, model: 'secure' }
  const pinning = { model: 'secure', pinnedFetch }
  const { direct: connection, answers } = await openConnection(network, consumer, pinning)
  expect((await connection.chat.create(request)).choices[0]?.message.content).not.toBe('')
  expect(connection.mode).toBe('direct')
  expect(answers[0]?.direct?.endpoint).toBe(`https://127.0.0.1:${port}`)
  const trusting = await openConnection(network, consumer, { model: 'secure' })
  expect(trusting.direct.failure?.code).toBe('connection_error')

  // Somebody else answers at the address that the Host announces.
  await host.end('SIGTERM')
  const other = await makeSelfSigned(names, new Date())
  const heard: string[] = []
  const impostor = createServer({ cert: other.certificate, key: other.key }, (incoming, response) => {
    heard.push(incoming.url ?? '')
    response.end()
  })
  impostor.listen(0, '127.0.0.1')
  await once(impostor, 'listening')
  const url = `https://127.0.0.1:${(impostor.address() as AddressInfo).port}`
  await network.startedHost({
    model: 'secure',
    stateDir: host.stateDir,
    args: [...args, '--direct-url', url],
  })
  const deceived = await openConnection(network, consumer, pinning)
  expect((await deceived.direct.chat.create(request)).choices[0]?.message.content).not.toBe('')
  expect([deceived.direct.mode, deceived.direct.failure?.code]).toEqual(['orchestrated', 'connection_error'])
  expect(deceived.answers[0]?.direct?.endpoint).toBe(url)
  expect(heard).toEqual([])
  impostor.closeAllConnections()
  impostor.close()
  expect(await readFile(files.certificate, 'utf8')).toBe(own.certificate)
})
