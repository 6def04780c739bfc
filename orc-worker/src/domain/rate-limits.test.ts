import { expect, test } from 'vitest'
import { parseRateLimits } from './rate-limits.ts'

test('without a word the defaults hold', () => {
  expect(parseRateLimits('')).toMatchObject({
    login: { perMinute: 10, burst: 10 },
    device_token: { perMinute: 60, burst: 60 },
    key: { perMinute: 6_000, burst: 1_000 },
  })
  expect(parseRateLimits(' {} ')).toEqual(parseRateLimits(''))
})

test('what is said changes one limit, null lifts it, and the others stay', () => {
  const limits = parseRateLimits('{"login":{"perMinute":0.5,"burst":3},"key":null}')
  expect(limits).toEqual({ ...parseRateLimits(''), login: { perMinute: 0.5, burst: 3 }, key: null })
})

test.for([
  'none',
  '[]',
  '{"logins":{"perMinute":1,"burst":1}}',
  '{"login":{"perMinute":0,"burst":1}}',
  '{"login":{"perMinute":1,"burst":0}}',
  '{"login":{"perMinute":1}}',
  '{"login":{"perMinute":1,"burst":1,"more":1}}',
  '{"login":{"perMinute":1e999,"burst":1}}',
])('%s is refused with the name of the setting', (text) =>
  expect(() => parseRateLimits(text)).toThrow('RATE_LIMITS'),
)
