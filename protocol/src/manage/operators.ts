import * as z from 'zod'
import { emailAddress } from './email-address.ts'

/** A person who operates the platform. Times in seconds since the epoch. */
export const operatorView = z.object({
  user_id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  /** The operator, person or account, who made them one. */
  granted_by: z.string(),
  created_at: z.int(),
})
/** Answer of `GET /api/operators`. */
export const operatorList = z.object({ operators: z.array(operatorView) })
export type OperatorList = z.infer<typeof operatorList>

/** Body of `POST /api/operators`: a person who has logged in here before. */
export const operatorRequest = z.object({ email: emailAddress })
