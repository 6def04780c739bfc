import { describe, expect, test } from 'vitest'
import { claims, ForgeryBench, honestHeader, hostId, nowMs, nowSeconds } from '../testing/forgery-bench.ts'

const bench = new ForgeryBench()

describe('for whom', () => {
  test.each(['x'.repeat(43), '', hostId.toUpperCase(), `${hostId} `])('[T2] aud %j', async (aud) => {
    expect(await bench.verify(bench.forge(honestHeader, { ...claims, aud }))).toMatchObject({
      code: 'token_audience',
    })
  })

  test('[T2] aud missing, or a list that has this Host in it', async () => {
    const { aud: _, ...without } = claims
    expect(await bench.verify(bench.forge(honestHeader, without))).toMatchObject({ ok: false })
    await bench.expectInvalid(bench.forge(honestHeader, { ...claims, aud: [hostId] }))
  })

  test.each([
    'https://orc.test/',
    'https://orc.test.evil.test',
    'http://orc.test',
    '',
    ['https://orc.test'],
    null,
  ])('[T2] iss %j', async (iss) => {
    await bench.expectInvalid(bench.forge(honestHeader, { ...claims, iss }))
  })

  test.each(['other', '', 'home2', 'HOME', '*', ['home']])('[T3] net %j', async (net) => {
    expect(await bench.verify(bench.forge(honestHeader, { ...claims, net }))).toMatchObject({ ok: false })
  })

  test('[T3] any net, at a Host that serves none', async () => {
    expect(await bench.verify(bench.forge(honestHeader, claims), { networks: [] })).toMatchObject({
      code: 'token_network',
    })
  })

  test('[T2] a token for a Direct Connection over the Orc’s own connection, and the other way round', async () => {
    const direct = bench.forge(honestHeader, { ...claims, mode: 'direct', cnf: { jkt: 'j'.repeat(43) } })
    await bench.expectInvalid(direct)
    expect(await bench.verify(direct, { mode: 'direct' })).toMatchObject({ ok: true })
    await bench.expectInvalid(bench.forge(honestHeader, { ...claims, mode: 'direct' }), { mode: 'direct' })
    await bench.expectInvalid(bench.forge(honestHeader, claims), { mode: 'direct' })
  })
})

describe('times', () => {
  test.each([
    ['expired', { exp: nowSeconds - 6 }, 'token_expired'],
    ['expired in 1970', { exp: 0 }, 'token_expired'],
    ['expired before it was made', { exp: -1 }, 'token_expired'],
    ['not valid yet', { nbf: nowSeconds + 6 }, 'token_invalid'],
    ['made in the future', { iat: nowSeconds + 6, exp: nowSeconds + 600 }, 'token_invalid'],
    ['made in milliseconds', { iat: nowMs, exp: nowMs + 600_000 }, 'token_invalid'],
    ['without an end', { exp: undefined }, 'token_invalid'],
    ['with an end that is text', { exp: String(nowSeconds + 60) }, 'token_invalid'],
    ['with an end that is null', { exp: null }, 'token_invalid'],
    ['with an end that is half a second', { exp: nowSeconds + 60.5 }, 'token_invalid'],
    ['without a beginning', { iat: undefined }, 'token_invalid'],
    ['with a beginning that is text', { iat: String(nowSeconds) }, 'token_invalid'],
  ])('[T2] %s', async (_, change, code) => {
    expect(await bench.verify(bench.forge(honestHeader, { ...claims, ...change }))).toMatchObject({
      ok: false,
      code,
    })
  })

  test('[T2] an end that JSON cannot hold', async () => {
    const text = JSON.stringify(claims).replace(`"exp":${claims.exp}`, '"exp":1e999')
    await bench.expectInvalid(bench.forge(honestHeader, text))
  })

  test('[T2] clocks may differ by five seconds, either way', async () => {
    const early = { iat: nowSeconds + 5, nbf: nowSeconds + 5 }
    expect(await bench.verify(bench.forge(honestHeader, { ...claims, ...early }))).toMatchObject({ ok: true })
    expect(await bench.verify(bench.forge(honestHeader, { ...claims, exp: nowSeconds - 4 }))).toMatchObject({
      ok: true,
    })
  })
})

describe('claims', () => {
  test.each([
    { budget: -1 },
    { budget: 1.5 },
    { budget: '10000' },
    { budget: null },
    { budget: 2 ** 53 },
    { jti: '' },
    { jti: 'j'.repeat(129) },
    { sid: '__proto__' },
    { sid: 'ses_' },
    { mode: 'free' },
    { sub: undefined },
  ])('[T2] %j', async (change) => {
    await bench.expectInvalid(bench.forge(honestHeader, { ...claims, ...change }))
  })
})

describe('tampering', () => {
  const token = bench.forge(honestHeader, claims)
  const [header = '', payload = '', signature = ''] = token.split('.')

  test('[T2] any character of the payload changed', async () => {
    for (let index = 0; index < payload.length; index += 7) {
      const other = payload[index] === 'A' ? 'B' : 'A'
      await bench.expectInvalid(
        `${header}.${payload.slice(0, index)}${other}${payload.slice(index + 1)}.${signature}`,
      )
    }
  })

  test('[T2] any bit of the signature changed', async () => {
    const bytes = Buffer.from(signature, 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit += 5) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      await bench.expectInvalid(`${header}.${payload}.${changed.toString('base64url')}`)
    }
  })

  test('[T2] a signature that is cut, longer, empty, all zero, or of another token', async () => {
    const other = bench.forge(honestHeader, { ...claims, budget: 1 }).split('.')[2]
    const zero = Buffer.alloc(64).toString('base64url')
    for (const wrong of [signature.slice(0, -2), `${signature}AA`, '', zero, other])
      await bench.expectInvalid(`${header}.${payload}.${wrong}`)
  })

  test('[T2] what is no compact JWS of a JSON object', async () => {
    const shapes = [
      '',
      '.',
      '..',
      '...',
      token.replaceAll('.', ''),
      `${token}.${signature}`,
      ` ${token}`,
      `${token}\n`,
      `${header}=.${payload}.${signature}`,
      JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
      bench.forge(honestHeader, '[]'),
      bench.forge(honestHeader, 'null'),
      bench.forge(honestHeader, ''),
      bench.forge(honestHeader, '{"iss":'),
      bench.forge('null', claims),
      bench.forge('[]', claims),
    ]
    for (const shape of shapes) await bench.expectInvalid(shape)
  })

  test('[T2] a genuine token that is longer than any Orc makes', async () => {
    await bench.expectInvalid(bench.forge(honestHeader, { ...claims, padding: 'x'.repeat(8192) }))
  })
})
