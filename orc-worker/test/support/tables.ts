import { runInDurableObject } from 'cloudflare:test'
import type { ConsumerSession } from '../../src/objects/session/object.ts'

/** The tables that an object has made in its storage. */
export function tablesOf(session: DurableObjectStub<ConsumerSession>): Promise<unknown[]> {
  return runInDurableObject(session, (_, state) =>
    state.storage.sql
      .exec<{ name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*'`)
      .toArray()
      .map(({ name }) => name),
  )
}
