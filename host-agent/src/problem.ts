import * as z from 'zod'

/** A state of affairs that keeps work away, and what to do about it. */
export const problem = z.object({ code: z.string(), message: z.string() })
export type Problem = z.infer<typeof problem>
