import { expect, test } from 'vitest'
import { checkChallenge, mintChallenge } from './challenge.ts'
import { checkCredential, hashCredential, mintCredential } from './credential.ts'
import { deriveKeys } from './derived-keys.ts'

const keys = await deriveKeys('A'.repeat(43))
const others = await deriveKeys('B'.repeat(43))

test.for([
  'secret-key',
  'browser-token',
  'account-token',
  'enrolment-token',
  'device-code',
  'session-id',
] as const)('%s: minted ones pass, others fail', async (kind) => {
  const text = await mintCredential(kind, keys.credentialMac)
  expect(await checkCredential(kind, text, keys.credentialMac)).toBe(await hashCredential(text))
  const flipped = text.slice(0, 12) + (text[12] === 'A' ? 'B' : 'A') + text.slice(13)
  for (const wrong of [flipped, text.slice(0, -1), `${text}A`, '', `${text} `, text.toUpperCase()]) {
    expect(await checkCredential(kind, wrong, keys.credentialMac)).toBeUndefined()
  }
  expect(await checkCredential(kind, text, others.credentialMac)).toBeUndefined()
})

test('one kind does not pass for another', async () => {
  const token = await mintCredential('account-token', keys.credentialMac)
  expect(await checkCredential('secret-key', token, keys.credentialMac)).toBeUndefined()
  expect(await checkCredential('enrolment-token', token, keys.credentialMac)).toBeUndefined()
})

test('[C1] a challenge lives sixty seconds and is ours alone', async () => {
  const now = 1_800_000_000_000
  const nonce = await mintChallenge(now, keys.challengeMac)
  expect(await checkChallenge(nonce, now + 59_000, keys.challengeMac)).toBe(true)
  expect(await checkChallenge(nonce, now + 61_000, keys.challengeMac)).toBe(false)
  expect(await checkChallenge(nonce, now - 5_000, keys.challengeMac)).toBe(false)
  expect(await checkChallenge(nonce, now, others.challengeMac)).toBe(false)
  for (const wrong of ['', '.', 'a.b', nonce.slice(1), `${nonce}.again`])
    expect(await checkChallenge(wrong, now, keys.challengeMac)).toBe(false)
})

test('a short secret is refused at start', async () => {
  await expect(deriveKeys('short')).rejects.toThrow('ORC_SECRET')
})
