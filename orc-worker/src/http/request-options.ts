import type * as z from 'zod'
import { within } from '../domain/within.ts'
import { type HostOptions, hostOptions, joinOptions, optionsOfBody } from '../domain/request-options.ts'
import { joinSession, requireOptions } from './consumer-access.ts'
import type { AppContext } from './context.ts'
import { type JsonBody, parseWith, readJsonValue } from './read-json.ts'

/**
 * Reads a request for work: its body as `readJson` does, and the options in it (rules G1, G2). From here on the request belongs to the
 * Session and the Network that they name, and `hostsOf` tells the rest.
 */
export async function readRequest<Value>(c: AppContext, schema: z.ZodType<Value>): Promise<JsonBody<Value>> {
  const { value: raw, text } = await readJsonValue(c.req.raw)
  if (typeof raw === 'object' && raw !== null && 'daisi' in raw) await takeOptions(c, raw.daisi)
  return { value: parseWith(schema, raw), text }
}

/** What a Job for this request needs to know of its options, and where it says which Host has taken it. */
export function hostsOf(c: AppContext): {
  readonly options: HostOptions
  readonly taken: (host: string) => void
} {
  return {
    options: hostOptions(c.var.options),
    taken: (host) => c.set('takenBy', [...new Set([...(c.var.takenBy ?? []), host])]),
  }
}

/**
 * Ends once a request has waited for a Host as long as it wanted to (rule G4). A whole answer, whose status leaves first, is begun after it: what
 * waits in vain is refused with a status of its own.
 */
export async function waitedFor(c: AppContext, running: Promise<unknown>): Promise<void> {
  const { waitMs } = hostOptions(c.var.options)
  const settled = running.then(
    () => true,
    () => true,
  )
  if (waitMs > 0) await within(settled, waitMs)
}

/** Takes the options of a body, beside those of the headers and any taken before. */
export async function takeOptions(c: AppContext, field: unknown): Promise<void> {
  const stated = requireOptions(optionsOfBody(field))
  const options = requireOptions(joinOptions(c.var.options, stated))
  const { caller, sessionName, config } = c.var.consumer
  c.set('options', options)
  c.set('consumer', { caller: { ...caller, network: options.network }, sessionName, config })
  if (stated.session !== undefined) await joinSession(c, stated.session)
}
