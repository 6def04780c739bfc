import type { ServerSource } from './server-source.ts'
import type { ServerSpec } from './server-spec.ts'

/** A server that the owner of this machine runs. */
export interface ModelServer {
  readonly spec: ServerSpec
  /** The models that it has now. Throws a `ServerError` if it does not answer. */
  discover(signal: AbortSignal): Promise<readonly ServerSource[]>
}
