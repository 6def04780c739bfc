import { expect, test } from 'vitest'
import { deriveKeys } from './derived-keys.ts'
import {
  LOGIN_IDLE_MS,
  type LoginSessionState,
  ROTATE_AFTER_MS,
  ROTATION_GRACE_MS,
  checkLoginCookie,
  judgeLoginCookie,
  mintLoginCookie,
} from './login-session.ts'

const { credentialMac } = await deriveKeys('A'.repeat(43))

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const session: LoginSessionState = {
  hash: 'now',
  previousHash: 'before',
  rotatedAt: 1_000,
  lastSeenAt: 1_000,
  expiresAt: 1e12,
  revokedAt: null,
}

test.for([
  ['now', {}, 1_000, 'good'],
  ['now', {}, 1_000 + ROTATE_AFTER_MS - 1, 'good'],
  ['now', {}, 1_000 + ROTATE_AFTER_MS, 'rotate'],
  ['before', {}, 1_000, 'good'],
  ['before', {}, 1_000 + ROTATION_GRACE_MS - 1, 'good'],
  ['before', {}, 1_000 + ROTATION_GRACE_MS, 'stolen'],
  ['long ago', {}, 1_000, 'stolen'],
  ['long ago', { previousHash: null }, 1_000, 'stolen'],
  ['now', { revokedAt: 1_000 }, 1_000, 'over'],
  ['long ago', { revokedAt: 1_000 }, 1_000, 'over'],
  ['now', { rotatedAt: 1e12 }, 1_000 + LOGIN_IDLE_MS - 1, 'good'],
  ['now', { rotatedAt: 1e12 }, 1_000 + LOGIN_IDLE_MS, 'over'],
  ['now', { expiresAt: 1_001 }, 1_000, 'good'],
  ['now', { expiresAt: 1_000 }, 1_000, 'over'],
] as const)('%s of %j at %d is %s', ([hash, change, now, verdict]) => {
  expect(judgeLoginCookie({ ...session, ...change }, hash, now)).toBe(verdict)
})

test('every cookie of a session names it, and differs from the others', async () => {
  const first = await mintLoginCookie(credentialMac)
  const second = await mintLoginCookie(credentialMac, first.sessionId)
  const other = await mintLoginCookie(credentialMac)
  expect(first.sessionId).toMatch(/^lgn_[0-9a-f]{32}$/)
  expect(second.sessionId).toBe(first.sessionId)
  expect(other.sessionId).not.toBe(first.sessionId)
  expect(new Set([first.value, second.value, other.value]).size).toBe(3)
  for (const { value, sessionId, hash } of [first, second, other])
    expect(await checkLoginCookie(value, credentialMac)).toEqual({ sessionId, hash })
})

test('a cookie with any other character, or of another Orc, is none', async () => {
  const { value } = await mintLoginCookie(credentialMac)
  for (let index = 0; index < value.length; index++) {
    const head = value.slice(0, index)
    const tail = value.slice(index + 1)
    for (const other of CHARACTERS.split('').filter((character) => character !== value[index]))
      expect(await checkLoginCookie(head + other + tail, credentialMac)).toBeUndefined()
  }
  const elsewhere = await deriveKeys('B'.repeat(43))
  expect(await checkLoginCookie(value, elsewhere.credentialMac)).toBeUndefined()
})
