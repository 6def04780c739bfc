import { CompactSign, compactVerify, createLocalJWKSet, importJWK, type JWK } from 'jose'
import { expect, test } from 'vitest'
import {
  makeSigningKeys,
  parseSigningKeys,
  replaceKeys,
  rotateKeys,
  type SigningKeys,
} from './signing-keys.ts'

const kids = (keys: SigningKeys): (string | undefined)[] => keys.map((key) => key.kid)

function withoutSecret(key: JWK): JWK {
  const published = { ...key }
  delete published.d
  return published
}

/** What the first key signs, as an Orc does. */
async function sign([key]: SigningKeys): Promise<string> {
  if (key === undefined) throw new Error('no key')
  return new CompactSign(Buffer.from('hello'))
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid ?? '' })
    .sign(await importJWK(key, 'EdDSA'))
}

/** Whether somebody with this JWKS accepts it. */
async function verifies(token: string, keys: SigningKeys): Promise<boolean> {
  const published = { keys: keys.map((key) => ({ ...withoutSecret(key), alg: 'EdDSA' })) }
  return compactVerify(token, createLocalJWKSet(published)).then(
    () => true,
    () => false,
  )
}

test('every key is published one rotation before it signs and one after', async () => {
  let keys = await makeSigningKeys()
  expect(keys).toHaveLength(2)
  for (let round = 0; round < 3; round++) {
    const { keys: rotated, outcome } = await rotateKeys(keys)
    expect(outcome).toBe('shifted')
    expect(kids(rotated)).toEqual([keys[1]?.kid, expect.any(String), keys[0]?.kid])
    expect(await verifies(await sign(rotated), keys)).toBe(true)
    expect(await verifies(await sign(keys), rotated)).toBe(true)
    keys = rotated
  }
})

test('two rotations later a key is gone', async () => {
  const keys = await makeSigningKeys()
  const later = await rotateKeys((await rotateKeys(keys)).keys)
  expect(await verifies(await sign(keys), later.keys)).toBe(false)
})

test('the first rotation of a single key publishes the next one and signs as before', async () => {
  const [only] = await makeSigningKeys()
  const first = await rotateKeys(only === undefined ? [] : [only])
  expect(first.outcome).toBe('prepared')
  expect(kids(first.keys)).toEqual([only?.kid, expect.any(String)])
  expect((await rotateKeys(first.keys)).outcome).toBe('shifted')
})

test('after a theft nothing old verifies', async () => {
  const { keys } = await rotateKeys(await makeSigningKeys())
  const replaced = await replaceKeys()
  expect(replaced.outcome).toBe('replaced')
  for (const key of keys) expect(await verifies(await sign([key]), replaced.keys)).toBe(false)
  expect(kids(replaced.keys).filter((kid) => kids(keys).includes(kid))).toEqual([])
})

test('what is no list of private keys is refused', async () => {
  const [key] = await makeSigningKeys()
  expect(await parseSigningKeys(JSON.stringify([key]))).toEqual([key])
  const published = withoutSecret(key ?? {})
  for (const keys of [[], [published], [{ ...key, kid: 'x' }], [{ ...key, crv: 'X25519' }], {}])
    await expect(parseSigningKeys(JSON.stringify(keys))).rejects.toThrow('SIGNING_KEYS')
})
