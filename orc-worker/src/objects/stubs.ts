import type { Bookkeeper } from './bookkeeper/object.ts'
import type { NetworkDirectory } from './directory/object.ts'
import type { HostConnection } from './host/object.ts'
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

/** The one object that looks after the book as a whole. */
export function bookkeeperStub(env: Env): DurableObjectStub<Bookkeeper> {
  return typed<Bookkeeper>(env.BOOKKEEPER).getByName('main')
}

/** The long-lived Session of all plain calls with one key on one Network. */
export function plainSessionName(keyHash: string, network: string): string {
  return `plain:${keyHash}:${network}`
}

/** Tells the long-lived Session of a key from one that a Consumer opened. */
export function isPlainSession(name: string | undefined): boolean {
  return name?.startsWith('plain:') === true
}

/** A Session that a Consumer opened. */
export function openedSessionName(sessionId: string): string {
  return `opened:${sessionId}`
}

// The generated bindings cannot name the class behind them, since the Worker's entry point is bundled, not imported.
function typed<T extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace,
): DurableObjectNamespace<T> {
  return namespace as DurableObjectNamespace<T>
}
