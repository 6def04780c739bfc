import { expect, test } from 'vitest'
import { deriveKeys } from './derived-keys.ts'
import { loginCodeMac, newLoginCode } from './login-code.ts'

const { loginCodeMac: key } = await deriveKeys('A'.repeat(43))

test('codes are six digits, spread over all that there are', () => {
  const codes = Array.from({ length: 10_000 }, newLoginCode)
  expect(codes.every((code) => /^\d{6}$/.test(code))).toBe(true)
  expect(new Set(codes.map((code) => code[0])).size).toBe(10)
  expect(new Set(codes).size).toBeGreaterThan(9_800)
})

test('what is stored of a code fits one flow and one code', async () => {
  const mac = await loginCodeMac('flow', '123456', key)
  expect(mac).toMatch(/^[\w-]{43}$/)
  expect(await loginCodeMac('flow', '123456', key)).toBe(mac)
  const others = [
    loginCodeMac('flow', '123457', key),
    loginCodeMac('flow1', '23456', key),
    loginCodeMac('flaw', '123456', key),
  ]
  expect(await Promise.all(others)).not.toContain(mac)
})
