import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { createApp } from '../../src/app.ts'
import type { HostConnection } from '../../src/objects/host/object.ts'
import { hostStub } from '../../src/objects/stubs.ts'

/** One request to the Worker with other bindings than its own: the same objects and database, meddled with. */
export function callWith(
  bindings: Partial<Env>,
  method: string,
  path: string,
  options: { token: string; body?: unknown; headers?: Record<string, string> },
): Promise<Response> {
  const request = new Request(`https://orc.test${path}`, {
    method,
    headers: {
      ...options.headers,
      authorization: `Bearer ${options.token}`,
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  })
  return Promise.resolve(createApp().fetch(request, { ...env, ...bindings }, createExecutionContext()))
}

/** A database in which something happens just after the first query that matches was answered, and before its asker hears of it. */
export function databaseWithPause(query: RegExp, happens: () => Promise<void>): D1Database {
  let isDue = true
  const bound = (statement: D1PreparedStatement, isIt: boolean): D1PreparedStatement =>
    new Proxy(statement, {
      get(target, name) {
        if (name === 'bind') return (...values: unknown[]) => bound(target.bind(...values), isIt)
        if (name !== 'all' && name !== 'raw' && name !== 'run') return methodOf(target, name)
        return async () => {
          const answer: unknown = await target[name]()
          if (isIt && isDue) {
            isDue = false
            await happens()
          }
          return answer
        }
      },
    })
  return new Proxy(env.DB, {
    get(target, name) {
      if (name !== 'prepare') return methodOf(target, name)
      return (text: string) => bound(target.prepare(text), query.test(text))
    },
  })
}

/** Hosts whose objects fail before they do what they are asked, as while they move or restart. */
export function hostsThatFail(
  ...methods: readonly ('changeNetworks' | 'changeOwner' | 'remove')[]
): Env['HOSTS'] {
  const failing = Object.fromEntries(
    methods.map((name) => [name, () => Promise.reject(new Error('restarts'))]),
  )
  const getByName = (name: string): Partial<HostConnection> =>
    new Proxy(hostStub(env, name), {
      get: (target, method) => failing[String(method)] ?? methodOf(target, method),
    }) as unknown as Partial<HostConnection>
  return { getByName } as unknown as Env['HOSTS']
}

/** Sessions whose objects cannot be reached. */
export const SESSIONS_AWAY = {
  getByName: () => ({ refresh: () => Promise.reject(new Error('restarts')) }),
} as unknown as Env['SESSIONS']

function methodOf(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name)
  return typeof value === 'function' ? value.bind(target) : value
}
