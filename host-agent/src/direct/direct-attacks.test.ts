import {
  DIRECT_ACKNOWLEDGE_PATH,
  DIRECT_CHAT_PATH,
  SESSION_TOKEN_TYPE,
  type SessionTokenClaims,
} from '@daisi/protocol'
import { decodeJwt, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type DirectAnswer,
  DirectConsumer,
  type ProofChanges,
  type RequestChanges,
} from '../testing/direct-consumer.ts'
import { DirectSetup, PROMPT } from '../testing/direct-setup.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { newJobId, TokenSigner } from '../testing/token-signer.ts'

let setup: DirectSetup
let other: DirectConsumer
const secrets: string[] = [PROMPT]

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

async function attack(changes: ProofChanges & RequestChanges, token?: string): Promise<[number, string]> {
  const used = token ?? (await setup.token())
  secrets.push(used)
  return codeOf(setup.consumer.chat(used, setup.body(), changes))
}

describe('tokens', () => {
  test('[D2] without a token, or under another scheme', async () => {
    const token = await setup.token()
    const body = setup.body()
    expect(await codeOf(setup.consumer.send({ body }))).toEqual([401, 'missing_credentials'])
    const bearer = { authorization: `Bearer ${token}` }
    expect(await attack({ headers: bearer }, token)).toEqual([401, 'token_invalid'])
    expect(await attack({ headers: { authorization: 'DPoP nonsense' } })).toEqual([401, 'token_invalid'])
  })

  test('[D2] a token of mode orchestrated, and one that is bound to no key', async () => {
    expect(await attack({}, await setup.token({ mode: 'orchestrated' }))).toEqual([401, 'token_invalid'])
    expect(await attack({}, await setup.token({ cnf: undefined }))).toEqual([401, 'token_invalid'])
  })

  test('[D2] a token of mode direct is worth nothing in a run', async () => {
    const claims = decodeJwt<SessionTokenClaims>(await setup.token())
    setup.connection.send(await setup.orc.run(setup.connection.hostId, {}, claims))
    expect(await setup.connection.next('refused')).toMatchObject({ code: 'token_invalid' })
  })

  test.each([
    ['[T2] another Host', { aud: 'x'.repeat(43) }, 'token_audience'],
    ['[T2] an Orc that this Host does not serve', { iss: 'https://evil.test' }, 'token_invalid'],
    ['[T2] expired', { exp: Math.floor(Date.now() / 1000) - 10 }, 'token_expired'],
    ['[T3] a network that the Host does not serve', { net: 'other' }, 'token_network'],
    ['[D2] another model', { model: 'other-model' }, 'token_invalid'],
    ['[D2] no model', { model: undefined }, 'token_invalid'],
  ])('%s', async (_, claims, code) => {
    expect(await attack({}, await setup.token(claims))).toEqual([401, code])
  })

  test('[T2] alg none, HS256 with the public key, another key under the same name, a changed claim', async () => {
    const claims = decodeJwt<SessionTokenClaims>(await setup.token())
    const { keyId, publicJwk } = setup.orc.signer
    const header = { alg: 'HS256', typ: SESSION_TOKEN_TYPE, kid: keyId }
    const secret = Buffer.from(publicJwk.x ?? '', 'base64url')
    const [head, , signature] = (await setup.token()).split('.')
    const changed = Buffer.from(JSON.stringify({ ...claims, budget: 10 ** 9 })).toString('base64url')
    const tokens = [
      `${new UnsecuredJWT(claims).encode()}x`,
      await new SignJWT(claims).setProtectedHeader(header).sign(secret),
      await (await TokenSigner.create(keyId)).sign(claims),
      `${head}.${changed}.${signature}`,
    ]
    for (const token of tokens) expect(await attack({}, token)).toEqual([401, 'token_invalid'])
    expect(await attack({ headers: { authorization: `DPoP ${new UnsecuredJWT(claims).encode()}` } })).toEqual(
      [401, 'token_invalid'],
    )
  })

  test('[T4] more than the budget', async () => {
    expect(await attack({}, await setup.token({ budget: 0 }))).toEqual([402, 'token_budget'])
    const answering = attack({}, await setup.token({ budget: 40 }))
    ;(await setup.engine.next()).start(5)
    expect(await answering).toEqual([402, 'token_budget'])
  })

  test('[D9] a revoked token begins nothing more', async () => {
    const jti = newJobId()
    setup.connection.send({ type: 'direct-revoked', tokenIds: [jti] })
    // Answered in order, so the Host has read what came before.
    setup.connection.send(await setup.orc.run(setup.connection.hostId, { kind: 'tool' }))
    await setup.connection.next('refused')
    expect(await attack({}, await setup.token({ jti }))).toEqual([401, 'token_invalid'])
  })
})

describe('proofs', () => {
  test('[D2] a token without a proof, with none in the header, with two', async () => {
    const token = await setup.token()
    const headers = { authorization: `DPoP ${token}`, 'content-type': 'application/json' }
    const body = setup.body()
    expect(await codeOf(setup.consumer.send({ body, headers }))).toEqual([401, 'proof_invalid'])
    expect(await attack({ headers: { dpop: token } }, token)).toEqual([401, 'proof_invalid'])
    const proof = await setup.consumer.proof(token, body)
    expect(await attack({ headers: { dpop: `${proof}, ${proof}` } }, token)).toEqual([401, 'proof_invalid'])
  })

  test('[D2] a proof by another key, and one that names a key that did not sign it', async () => {
    const token = await setup.token()
    const dpop = await other.proof(token, setup.body())
    expect(await attack({ headers: { dpop } }, token)).toEqual([401, 'proof_invalid'])
    expect(await attack({ signer: other })).toEqual([401, 'proof_invalid'])
  })

  const now = Math.floor(Date.now() / 1000)
  test.each<[string, ProofChanges]>([
    ['[D2] for another method', { claims: { htm: 'GET' } }],
    ['[D2] for another Host', { claims: { htu: `https://evil.test${DIRECT_CHAT_PATH}` } }],
    ['[D2] for another token', { claims: { ath: 'A'.repeat(43) } }],
    ['[D2] for another body', { claims: { body: 'A'.repeat(43) } }],
    ['[D3] stale', { claims: { iat: now - 70 } }],
    ['[D3] from the future', { claims: { iat: now + 600 } }],
    ['[D3] without a time', { claims: { iat: undefined } }],
    ['[D3] without a job id', { claims: { jti: 'x' } }],
    ['[D2] of another type', { header: { typ: 'JWT' } }],
    [
      '[D2] with a key of another curve',
      { header: { jwk: { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) } } },
    ],
    ['[D2] with a demand', { header: { crit: ['b64'], b64: true } }],
  ])('%s', async (_, changes) => {
    expect(await attack(changes)).toEqual([401, 'proof_invalid'])
  })

  test('[D2] with the private half of its key, or anything else beside the public one', async () => {
    for (const more of [{ d: 'A'.repeat(43) }, { k: 'x' }, { alg: 'HS256' }]) {
      const jwk = { ...setup.consumer.publicJwk, ...more }
      expect(await attack({ header: { jwk } })).toEqual([401, 'proof_invalid'])
    }
  })

  test('[D3] a proof is good for 60 seconds', async () => {
    const clock = new ManualClock(Date.now())
    await using old = await DirectSetup.start({ clock })
    clock.advance(100_000)
    const now = Math.floor(clock.now() / 1000)
    const answer = await old.consumer.chat(await old.token(), old.body(), { claims: { iat: now - 61 } })
    expect([answer.status, await answer.errorCode()]).toEqual([401, 'proof_invalid'])
    const answering = old.consumer.chat(await old.token(), old.body(), { claims: { iat: now - 59 } })
    ;(await old.engine.next()).start().end()
    expect((await answering).status).toBe(200)
  })

  test('[D2] for another path', async () => {
    const htu = setup.consumer.endpoint + DIRECT_ACKNOWLEDGE_PATH
    expect(await attack({ claims: { htu } })).toEqual([401, 'proof_invalid'])
  })

  test('[D2] alg none and HS256', async () => {
    const token = await setup.token()
    const [head = '', payload = ''] = (await setup.consumer.proof(token, setup.body())).split('.')
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object
    for (const alg of ['none', 'HS256', 'ES256']) {
      const forged = Buffer.from(JSON.stringify({ ...header, alg })).toString('base64url')
      for (const signature of ['', 'AAAA'])
        expect(await attack({ headers: { dpop: `${forged}.${payload}.${signature}` } }, token)).toEqual([
          401,
          'proof_invalid',
        ])
    }
  })

  test('[D3] a proof counts once, also when its request was refused', async () => {
    const token = await setup.token()
    const body = setup.body()
    const dpop = await setup.consumer.proof(token, body)
    const answering = setup.consumer.chat(token, body, { headers: { dpop } })
    ;(await setup.engine.next()).start().end()
    await (await answering).rest()
    expect(await codeOf(setup.consumer.chat(token, body, { headers: { dpop } }))).toEqual([
      409,
      'job_replayed',
    ])
    const refused = await setup.consumer.proof(token, '{}')
    expect(await codeOf(setup.consumer.chat(token, '{}', { headers: { dpop: refused } }))).toEqual([
      400,
      'invalid_request',
    ])
    expect(await codeOf(setup.consumer.chat(token, '{}', { headers: { dpop: refused } }))).toEqual([
      409,
      'job_replayed',
    ])
  })

  test('[D3] a proof from before this Host began is refused: it may have been used already', async () => {
    const clock = new ManualClock(Date.now())
    await using young = await DirectSetup.start({ clock })
    const iat = Math.floor(clock.now() / 1000) - 2
    const answer = await young.consumer.chat(await young.token(), young.body(), { claims: { iat } })
    expect([answer.status, await answer.errorCode()]).toEqual([401, 'proof_invalid'])
  })

  test('[D3] two at the same time: one of them is done', async () => {
    const token = await setup.token()
    const body = setup.body()
    const dpop = await setup.consumer.proof(token, body)
    const answers = [1, 2].map(() => setup.consumer.chat(token, body, { headers: { dpop } }))
    ;(await setup.engine.next()).start().end()
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200, 409]))
  })
})

test('no log line has a token, a proof, a prompt or an answer', () => {
  expect(setup.logLines.length).toBeGreaterThan(20)
  const text = setup.logLines.join('\n')
  for (const secret of secrets) expect(text).not.toContain(secret)
  expect(text).not.toMatch(/eyJ[\w-]{10}/)
})
