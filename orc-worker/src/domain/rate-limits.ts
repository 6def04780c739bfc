import * as z from 'zod'

/** How often something may happen: `burst` at once, and `perMinute` in the long run. */
export interface Rate {
  readonly perMinute: number
  readonly burst: number
}

/** Null: no limit. */
export type Limit = Rate | null

/** Every limit of an Orc, unless `RATE_LIMITS` says otherwise. The first seven count by the caller's address. */
const DEFAULTS = {
  /** Logging in, setting up: whatever a stranger may POST and nothing else is said of. */
  login: { perMinute: 10, burst: 10 },
  /** Hosts that ask to be let in. */
  device_authorization: { perMinute: 10, burst: 10 },
  /** Their polls: a dozen a minute each. */
  device_token: { perMinute: 60, burst: 60 },
  /** Challenges, enrolments and connections of Hosts. */
  host_wire: { perMinute: 120, burst: 60 },
  /** Requests with a credential that this Orc never made, or with none where one is needed. */
  failed_credential: { perMinute: 60, burst: 30 },
  /** Pages and descriptions that anybody may read. */
  anonymous_read: { perMinute: 600, burst: 600 },
  /** User codes that nobody waits with, by address and by person. */
  wrong_user_code: { perMinute: 1, burst: 10 },
  /** Management, by person or account. */
  management: { perMinute: 600, burst: 600 },
  /** Requests to `/v1` in one Session of a key. */
  key: { perMinute: 6_000, burst: 1_000 },
  /** Requests to `/v1` of all keys of an account. */
  account: { perMinute: 30_000, burst: 5_000 },
  /** Control messages of one Host. */
  host_messages: { perMinute: 6_000, burst: 1_000 },
  /**
   * Of these, what a Host says of itself: the directories of all its Networks hear of it, and they work for everybody. Twice of what
   * rule H4 allows.
   */
  host_words: { perMinute: 600, burst: 300 },
  /** Frames of one Host: a hundred Jobs at full speed (rule F4). */
  host_frames: { perMinute: 150_000, burst: 10_000 },
} as const satisfies Readonly<Record<string, Rate>>

export type LimitName = keyof typeof DEFAULTS
export type RateLimits = Readonly<Record<LimitName, Limit>>

const limit = z.strictObject({ perMinute: z.number().positive(), burst: z.int().positive() }).nullable()
const overrides = z.partialRecord(z.enum(Object.keys(DEFAULTS) as [LimitName, ...LimitName[]]), limit)

/** The limits of an Orc: the defaults with those of the JSON text over them. Throws what is wrong with the text. */
export function parseRateLimits(text: string): RateLimits {
  if (text.trim() === '') return DEFAULTS
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    throw new Error('RATE_LIMITS must be JSON, such as {"login":{"perMinute":20,"burst":20}}')
  }
  const parsed = overrides.safeParse(raw)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const names = Object.keys(DEFAULTS).join(', ')
    throw new Error(
      `RATE_LIMITS: ${issue?.path.join('.')}: ${issue?.message}; the limits are ${names}, each null or {"perMinute", "burst"}`,
    )
  }
  return { ...DEFAULTS, ...parsed.data }
}
