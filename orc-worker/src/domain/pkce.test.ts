import { expect, test } from 'vitest'
import { codeChallenge, newCodeVerifier } from './pkce.ts'

test('the challenge is the one of RFC 7636, appendix B', async () => {
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
  expect(await codeChallenge(verifier)).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
})

test('a verifier has the shape that RFC 7636 §4.1 asks for and is never the same', () => {
  const verifiers = Array.from({ length: 100 }, newCodeVerifier)
  for (const verifier of verifiers) expect(verifier).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(new Set(verifiers).size).toBe(100)
})
