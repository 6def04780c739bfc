import type { Bookkeeper } from './bookkeeper/object.ts'
import type { NetworkDirectory } from './directory/object.ts'
import type { HostConnection } from './host/object.ts'
import type { RateLimiter } from './limiter/object.ts'
import type { ConsumerSession } from './session/object.ts'

// The only file that names a Durable Object. Stubs are made for each call: one that outlives a restart stays broken.

/** The object of one Host. */
export function hostStub(env: Env, hostId: string): DurableObjectStub<HostConnection> {
  return typed<HostConnection>(env.HOSTS).getByName(hostId)
}

/** The object of one Network. */
export function directoryStub(env: Env, network: string): DurableObjectStub<NetworkDirectory> {
  return typed<NetworkDirectory>(env.DIRECTORIES).getByName(network)
}

/** The object of one Session, by the name that `plainSessionName` or `openedSessionName` gives. */
export function sessionStub(env: Env, name: string): DurableObjectStub<ConsumerSession> {
  return typed<ConsumerSession>(env.SESSIONS).getByName(name)
}

/** One of the objects that hold rate limits: by address and by account apart, so that strangers never crowd out accounts. */
export function limiterStub(
  env: Env,
  by: 'address' | 'account',
  shard: number,
): DurableObjectStub<RateLimiter> {
  return typed<RateLimiter>(env.LIMITERS).getByName(`${by}-${shard}`)
}

/** The one object that looks after the book as a whole. */
export function bookkeeperStub(env: Env): DurableObjectStub<Bookkeeper> {
  return typed<Bookkeeper>(env.BOOKKEEPER).getByName('main')
}

/** The one long-lived Session of all plain calls with a key. What callers name is no part of it: nobody makes objects by naming. */
export function plainSessionName(keyHash: string): string {
  return `plain:${keyHash}:`
}

/** The hash of the key that a plain Session is named after. */
export function plainSessionKey(name: string): string {
  const [, keyHash = ''] = name.split(':')
  return keyHash
}

/** The plain Sessions that may have opened others with a key: its own, and the one that the first version named after the one Network. */
export function plainSessionNames(keyHash: string): string[] {
  return [plainSessionName(keyHash), `plain:${keyHash}:public`]
}

/** Tells the long-lived Session of a key from one that a Consumer opened. */
export function isPlainSession(name: string | undefined): boolean {
  return name?.startsWith('plain:') === true
}

/** The Session of a browser token, by the token's hash. */
export function tokenSessionName(tokenHash: string): string {
  return `token:${tokenHash}`
}

/** Tells the Session of a browser token from one that is joined by its id. */
export function isTokenSession(name: string | undefined): boolean {
  return name?.startsWith('token:') === true
}

/** A Session that a Consumer opened. */
export function openedSessionName(sessionId: string): string {
  return `opened:${sessionId}`
}

/** Tells a Session that a Consumer opened from the others. */
export function isOpenedSession(name: string | undefined): boolean {
  return name?.startsWith('opened:') === true
}

// The generated bindings cannot name the class behind them, since the Worker's entry point is bundled, not imported.
function typed<T extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace,
): DurableObjectNamespace<T> {
  return namespace as DurableObjectNamespace<T>
}
