import { once } from 'node:events'
import { connect } from 'node:net'
import {
  type AcknowledgementClaims,
  DIRECT_ACKNOWLEDGE_PATH,
  DIRECT_CHAT_PATH,
  MAX_BODY_BYTES,
} from '@daisi/protocol'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DirectAnswer, DirectConsumer } from '../testing/direct-consumer.ts'
import { DirectSetup } from '../testing/direct-setup.ts'
import type { ScriptedRun } from '../testing/scripted-engine.ts'
import { newJobId } from '../testing/token-signer.ts'

let setup: DirectSetup
let other: DirectConsumer

beforeAll(async () => {
  setup = await DirectSetup.start()
  other = await DirectConsumer.create()
  other.endpoint = setup.consumer.endpoint
})
afterAll(async () => {
  await setup[Symbol.asyncDispose]()
})

async function codeOf(answering: Promise<DirectAnswer>): Promise<[number, string]> {
  const answer = await answering
  return [answer.status, await answer.errorCode()]
}

describe('requests', () => {
  test('[A2] a body of five megabytes is refused, announced or not', async () => {
    const large = setup.body({
      messages: [{ role: 'user', content: 'x'.repeat(MAX_BODY_BYTES + 1024 * 1024) }],
    })
    const token = await setup.token()
    expect(await codeOf(setup.consumer.chat(token, large))).toEqual([413, 'body_too_large'])
    const headers = { 'transfer-encoding': 'chunked' }
    expect(await codeOf(setup.consumer.chat(token, large, { headers }))).toEqual([413, 'body_too_large'])
    const jws = 'x'.repeat(5000)
    expect(await codeOf(setup.consumer.sendAcknowledgement(jws))).toEqual([413, 'body_too_large'])
  })

  test.each([
    ['without a token', DIRECT_CHAT_PATH, 9, 401],
    ['when it is too large', DIRECT_ACKNOWLEDGE_PATH, 5000, 413],
  ])('a body is not asked for %s', async (_, path, length, status) => {
    const { host, port } = new URL(setup.consumer.endpoint)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`,
    )
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    expect(chunk.toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    socket.destroy()
  })

  test.each([
    ['invalid_json', '{'],
    ['invalid_json', Buffer.from([0x22, 0xff, 0x22])],
    ['invalid_request', '{"model":"test-model","messages":[],"stream":true}'],
    ['invalid_request', '{"model":"test-model","messages":[{"role":"user","content":"x"}]}'],
    [
      'unsupported_parameter',
      '{"model":"test-model","messages":[{"role":"user","content":"x"}],"stream":true,"n":2}',
    ],
  ])('[A3] %s', async (code, body) => {
    const token = await setup.token()
    const headers = { dpop: await setup.consumer.proof(token, body) }
    expect(await codeOf(setup.consumer.chat(token, '', { headers, body }))).toEqual([400, code])
  })

  test('strangers learn nothing: 404 in the shape of errors, and no name of a server', async () => {
    for (const path of [
      '/',
      '/v1/models',
      `${DIRECT_CHAT_PATH}/`,
      `${DIRECT_CHAT_PATH}?x=1`,
      '//evil.test/',
    ]) {
      const answer = await setup.consumer.send({ method: 'GET', path })
      const text = await answer.rest()
      expect([answer.status, JSON.parse(text)]).toMatchObject([
        404,
        { error: { code: 'not_found', param: null } },
      ])
      expect(answer.headers['server']).toBeUndefined()
      for (const word of ['test-model', setup.orc.issuer, setup.connection.hostId])
        expect(text).not.toContain(word)
    }
    const answer = await setup.consumer.send({ method: 'GET' })
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST, OPTIONS'])
  })
})

describe('acknowledgements', () => {
  let token: string
  let claims: Omit<AcknowledgementClaims, 'iat'>
  let run: ScriptedRun
  let answer: DirectAnswer

  beforeAll(async () => {
    token = await setup.token()
    const jobId = newJobId()
    const answering = setup.consumer.chat(token, setup.body(), { claims: { jti: jobId } })
    run = await setup.engine.next()
    run.start().delta('a', 1, 2, 3, 4)
    answer = await answering
    await answer.next()
    await answer.text()
    const { sid } = decodeJwt<{ sid: string }>(token)
    claims = {
      aud: setup.connection.hostId,
      sid,
      jobId,
      promptTokens: 5,
      cachedTokens: 0,
      generatedTokens: 4,
    }
  })
  afterAll(() => answer.leave())

  test('[D6] for more than was sent, or for another prompt', async () => {
    for (const change of [
      { generatedTokens: 5 },
      { promptTokens: 6 },
      { promptTokens: 4 },
      { cachedTokens: 1 },
    ])
      expect(await codeOf(setup.consumer.acknowledge({ ...claims, ...change }))).toEqual([
        400,
        'invalid_request',
      ])
  })

  test("[D6] for another's job, Session or Host, by another key, for a job that nobody knows", async () => {
    const foreign = [{ jobId: newJobId() }, { sid: 'ses_0123456789abcdef' }, { aud: 'x'.repeat(43) }]
    for (const change of foreign)
      expect(await codeOf(setup.consumer.acknowledge({ ...claims, ...change }))).toEqual([404, 'not_found'])
    expect(await codeOf(other.acknowledge(claims))).toEqual([404, 'not_found'])
    const forged = await other.acknowledgement(claims, { jwk: setup.consumer.publicJwk })
    expect(await codeOf(setup.consumer.sendAcknowledgement(forged))).toEqual([401, 'proof_invalid'])
  })

  test("[D3] another's job id is not taken for a second job", async () => {
    const own = await setup.token({ cnf: { jkt: other.thumbprint } })
    const changes = { claims: { jti: claims.jobId } }
    expect(await codeOf(other.chat(own, setup.body(), changes))).toEqual([409, 'job_replayed'])
  })

  test('[D6] of another type, by alg none, or no JWS at all', async () => {
    const typed = await setup.consumer.acknowledgement(claims, { typ: 'dpop+jwt' })
    const [, payload] = typed.split('.')
    const none = Buffer.from('{"alg":"none","typ":"daisi-acknowledgement+jwt"}').toString('base64url')
    for (const jws of [typed, `${none}.${payload}.`, 'x', '', '{}'])
      expect(await codeOf(setup.consumer.sendAcknowledgement(jws))).toEqual([400, 'invalid_request'])
  })

  test('[D6] one that says less changes nothing, and a flood of them neither', async () => {
    expect((await setup.consumer.acknowledge(claims)).status).toBe(204)
    const less = await setup.consumer.acknowledgement({ ...claims, generatedTokens: 1 })
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async () => (await setup.consumer.sendAcknowledgement(less)).status),
    )
    expect(new Set(statuses)).toEqual(new Set([204]))
    run.end()
    await answer.rest()
    const report = await setup.connection.next('direct-report')
    expect(decodeJwt(report.acknowledgement)).toMatchObject({ jobId: claims.jobId, generatedTokens: 4 })
  })
})
