import type { ErrorCode } from '@daisi/protocol'
import rules from '../../../protocol/PROTOCOL.md?raw'
import { expect, test } from 'vitest'
import { STATUS, errorResponse } from './errors.ts'

test('[E2] every code is answered with the status that PROTOCOL.md gives it', () => {
  const table = rules.slice(rules.indexOf('- **E2**')).matchAll(/^\| (`[a-z_`, ]+`) \| (\d{3}) \|/gm)
  const stated = [...table].flatMap(([, codes = '', status = '']) =>
    codes.split(', ').map((code) => [code.replaceAll('`', ''), Number(status)] as const),
  )
  expect(Object.fromEntries(stated)).toEqual(STATUS)
})

const RETRIED = new Set<ErrorCode>([
  'request_in_progress',
  'rate_limited',
  'host_failed',
  'host_lost',
  'host_timeout',
  'no_host_available',
  'all_hosts_busy',
  'model_loading',
  'storage_unavailable',
])

test.for(Object.keys(STATUS) as ErrorCode[])('[K4] %s says whether a retry helps', (code) => {
  const { headers } = errorResponse({ code, message: 'x' })
  const told = [headers.has('retry-after'), headers.get('x-should-retry')]
  if (code === 'internal_error') expect(told).toEqual([false, null])
  else expect(told).toEqual(RETRIED.has(code) ? [true, null] : [false, 'false'])
})

test('[K4] who knows better when a retry helps is believed', () => {
  const { headers } = errorResponse({ code: 'model_loading', message: 'x', retryAfterSeconds: 42 })
  expect(headers.get('retry-after')).toBe('42')
})
