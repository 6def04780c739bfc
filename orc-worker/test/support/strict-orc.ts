import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import { createApp } from '../../src/app.ts'
import { errorCode } from './scene.ts'

/** An Orc with limits of its own, in front of the same objects and the same database. Callers state their address. */
export function strictOrc(
  limits: Record<string, { perMinute: number; burst: number } | null>,
  overrides: Partial<Env> = {},
) {
  const app = createApp()
  const bindings = { ...env, ...overrides, RATE_LIMITS: JSON.stringify(limits) }
  return async function call(
    method: string,
    path: string,
    options: { address: string; token?: string; body?: unknown; form?: Record<string, string> },
  ): Promise<Response> {
    const { address, token, body, form } = options
    const content = form === undefined ? JSON.stringify(body) : new URLSearchParams(form)
    const request = new Request(`https://orc.test${path}`, {
      method,
      headers: {
        'cf-connecting-ip': address,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(form === undefined ? { 'content-type': 'application/json' } : {}),
      },
      ...(method === 'GET' ? {} : { body: content }),
    })
    return app.fetch(request, bindings, createExecutionContext())
  }
}

/** The statuses of several calls, one after the other. */
export async function statuses(times: number, call: () => Promise<Response>): Promise<number[]> {
  const found: number[] = []
  for (let index = 0; index < times; index++) found.push((await call()).status)
  return found
}

/** That a refusal says honestly when to come again. */
export async function expectRefusal(response: Response, longestSeconds: number): Promise<void> {
  expect([response.status, await errorCode(response)]).toEqual([429, 'rate_limited'])
  const seconds = Number(response.headers.get('retry-after'))
  expect(seconds).toBeGreaterThanOrEqual(1)
  expect(seconds).toBeLessThanOrEqual(longestSeconds)
}
