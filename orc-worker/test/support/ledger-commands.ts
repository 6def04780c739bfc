import * as fc from 'fast-check'
import type { Fault } from './faulty-database.ts'

/** Sessions that share the book. The first two belong to the first consumer, the third to the second. */
export const SESSIONS = 3
/** Accounts that may be paid: the two consumers and two owners. */
export const ACCOUNTS = 4

/** What a Host's report says of the work: everything asked for, a part, nothing, or more than was held for. */
export type Share = 'all' | 'part' | 'nothing' | 'beyond'

/** One step. A Job is chosen by counting back from the last one that was asked for, round about; one of them never was. */
export type Command =
  | {
      readonly kind: 'open'
      readonly session: number
      readonly promptTokens: number
      readonly maxTokens: number | undefined
      readonly ownOnly: boolean
      /** A small number, so that some come again. */
      readonly key: number | undefined
      readonly body: number
    }
  | {
      readonly kind: 'report'
      readonly job: number
      /** True if only Jobs that run count. */
      readonly running: boolean
      readonly share: Share
      readonly payee: number
      readonly copies: number
      /** True if it comes to another Session than the Job's. */
      readonly astray: boolean
    }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'renew' | 'free'; readonly job: number }
  | { readonly kind: 'expire' | 'settle' | 'release' | 'crash'; readonly session: number }
  | {
      readonly kind: 'reconcile'
      readonly session: number
      readonly idle: boolean
      /** Credits that come into the lease at the same time and that the Session knows nothing of. */
      readonly stray: number
    }
  | { readonly kind: 'adjust' | 'freeze'; readonly consumer: number; readonly amount: number }

/** A whole sequence. */
export interface Plan {
  /** What the two consumers have at first. Small ones fight over every credit, large ones refill ahead of need. */
  readonly grants: readonly number[]
  /** A limit of the first Session's own. */
  readonly budget: number | null
  /** Each command, and how many things may happen at D1 before the next one. */
  readonly steps: readonly { readonly command: Command; readonly happenings: number }[]
  /** What becomes of the requests to D1, in the order in which they come. Those after the last have no faults. */
  readonly faults: readonly Fault[]
}

const session = fc.nat({ max: SESSIONS - 1 })
const consumer = fc.nat({ max: 1 })
const job = fc.nat({ max: 8 })

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('open'),
      session,
      promptTokens: fc.integer({ min: 1, max: 60 }),
      maxTokens: fc.option(fc.integer({ min: 1, max: 90 }), { nil: undefined, freq: 3 }),
      ownOnly: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
      key: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, fc.nat({ max: 2 })),
      body: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.constant(1)),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('report'),
      job,
      running: fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, fc.constant(false)),
      share: fc.constantFrom('all', 'part', 'beyond', 'nothing'),
      payee: fc.nat({ max: ACCOUNTS - 1 }).map((index) => ACCOUNTS - 1 - index),
      copies: fc.integer({ min: 1, max: 2 }),
      astray: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, fc.constant(true)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      ms: fc.constantFrom(1_000, 60_000, 120_000, 250_000, 4_000_000),
    }),
  },
  fc.record({ kind: fc.constantFrom('renew', 'free'), job }),
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('settle'), session }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('expire', 'release', 'crash'), session }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('reconcile'),
      session,
      idle: fc.boolean(),
      stray: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 50 })),
    }),
  },
  fc.record({ kind: fc.constant('adjust'), consumer, amount: fc.integer({ min: -300, max: 300 }) }),
  fc.record({
    kind: fc.constant('freeze'),
    consumer,
    amount: fc.constantFrom(0, 50, 500, Number.MAX_SAFE_INTEGER),
  }),
)

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 3, arbitrary: fc.constant('none' as const) },
  fc.constantFrom('lose', 'lose', 'late', 'twice', 'refuse'),
)

/** Any sequence of at most this many commands. */
export function planOf(maxCommands: number): fc.Arbitrary<Plan> {
  return fc.record({
    grants: fc.tuple(
      fc.integer({ min: 100, max: 600 }),
      fc.oneof(fc.integer({ min: 100, max: 600 }), fc.integer({ min: 5_000, max: 50_000 })),
    ),
    budget: fc.option(fc.integer({ min: 100, max: 600 }), { freq: 2 }),
    steps: fc.array(fc.record({ command, happenings: fc.nat({ max: 12 }) }), {
      maxLength: maxCommands,
      size: 'max',
    }),
    faults: fc.array(fault, { maxLength: 2 * maxCommands, size: 'max' }),
  })
}
