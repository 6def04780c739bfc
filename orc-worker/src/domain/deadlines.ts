/** Time that a Job has beside its tokens: to be taken, and for the prompt. */
const BASE_MS = 5 * 60 * 1000
/** A Host slower than a token a second is not worth waiting for; nor is a reader. */
const MS_PER_TOKEN = 1_000
/** The longest that a Job may take, in milliseconds. Then it is ended, and the part is paid. */
export function jobDeadlineMs(maxTokens: number): number {
  return BASE_MS + maxTokens * MS_PER_TOKEN
}

/**
 * How long credits stay held for a Job that nobody speaks for, in milliseconds: longer than its Worker waits for a Host to
 * take it and for the first frame. From then on the Host's object renews the hold while the Job runs.
 */
export const HOLD_MS = 4 * 60 * 1000

/** Longest that a Host may be silent while it makes an image, in milliseconds: nothing comes of one before it is done. */
export const IMAGE_GAP_MS = 5 * 60 * 1000

/** `HOLD_MS` of a Job for images, whose first frame comes late. */
export const IMAGE_HOLD_MS = HOLD_MS + IMAGE_GAP_MS

/** Longest silence between two frames of a text. */
export const TEXT_GAP_MS = 60_000
