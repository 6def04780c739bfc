import type { ErrorCode } from '@daisi/protocol'
import type * as z from 'zod'
import type { AnswerName, RequestName } from './schemas.ts'

/** Groups of operations, in the order in which they are shown. */
export const TAGS = {
  Inference: 'Work for Hosts, in the shapes that clients know.',
  Models: 'What online Hosts serve.',
  Sessions: 'Sessions with a budget of their own, Direct Connections, and tokens for browsers.',
  Credits: 'What work costs, and what is there to pay for it.',
  Accounts: 'Accounts, their members and their credits.',
  Keys: 'Apps and their Secret Keys.',
  Hosts: 'Hosts of an account.',
  Networks: 'Networks, and who uses and serves them.',
  People: 'Logging in, and what belongs to a person.',
  Operators: 'For operators of the Orc.',
  'Host wire': 'What Hosts ask for themselves. The wire is described in PROTOCOL.md.',
  Orc: 'The Orc itself.',
  Pages: 'What people see in a browser. Programs use the operations on people instead.',
} as const
export type Tag = keyof typeof TAGS

export interface Body {
  readonly schema: RequestName
  readonly example?: unknown
}

export interface Answer {
  /** Default 200. One that is no success: the route is there only to say so. */
  readonly status?: number
  /** Absent: the answer has no body. */
  readonly schema?: AnswerName
  readonly example?: unknown
  /** Of a streamed answer: what each event carries. */
  readonly events?: AnswerName
  /** Of an answer that is no JSON. */
  readonly media?: string
}

/** What is said of one route, beside what the route table says. */
export interface Operation {
  /** `operationId`: stable, since programs are generated from it. */
  readonly id: string
  readonly tag: Tag
  readonly summary: string
  readonly description?: string
  readonly body?: Body
  /** Fields of a form, where the body is one. */
  readonly form?: readonly string[]
  readonly query?: z.ZodObject
  /** Request headers beside those for all of `/v1`. */
  readonly headers?: readonly RequestHeader[]
  readonly answer: Answer
  /** Codes beside those that the access and the body bring along. */
  readonly codes?: readonly ErrorCode[]
}

export type RequestHeader = 'Idempotency-Key' | 'If-None-Match' | 'Daisi-Account'

/** Operations by method and path, as the route table has them. */
export type Operations = Readonly<Record<string, Operation>>
