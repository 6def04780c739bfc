import * as z from 'zod'
import type { ServerClient } from './server-client.ts'
import { ServerError } from './server-error.ts'

/**
 * Whether llama-server fills in the middle with its model: asked for nothing, it finds the request wrong where it does, and does not know
 * of any such thing where the model has no tokens for it. Throws a `ServerError` where it cannot say now.
 */
export async function probeInfill(client: ServerClient, signal: AbortSignal): Promise<boolean> {
  try {
    await client.json('/infill', z.unknown(), { signal, body: {} })
    return false
  } catch (error) {
    if (!(error instanceof ServerError) || error.code !== 'rejected') throw error
    if (error.status === 429 || error.status === 503) throw error
    return error.status === 400
  }
}
