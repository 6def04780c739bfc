/** What became of a request: a value, or why not, with what to do next. */
export type Outcome<Value> = { readonly ok: true; readonly value: Value } | Failure

export interface Failure {
  readonly ok: false
  readonly code: string
  readonly message: string
}

/** It is done, and there is nothing to add. */
export const DONE: Outcome<undefined> = { ok: true, value: undefined }
