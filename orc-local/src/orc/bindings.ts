// What wrangler.toml tells Cloudflare, told to workerd. A test compares the two, so that they never drift.

/** The Workers API as of this day, on Cloudflare and here. */
export const COMPATIBILITY_DATE = '2026-10-20'

/** What the Worker switches on beyond that. `enable_request_signal`: a Consumer that goes away cancels its work. */
export const COMPATIBILITY_FLAGS = ['enable_request_signal'] as const

/** Binding of the durable book. */
export const DATABASE_BINDING = 'DB'

/** Binding name → Durable Object class of the Orc Worker. */
export const DURABLE_OBJECTS = {
  HOSTS: 'HostConnection',
  DIRECTORIES: 'NetworkDirectory',
  SESSIONS: 'ConsumerSession',
  BOOKKEEPER: 'Bookkeeper',
  LIMITERS: 'RateLimiter',
} as const

/** Plain settings and their defaults. */
export const DEFAULT_VARS: Readonly<Record<string, string>> = {
  ORC_NAME: 'DAISI',
  SIGNUP_GRANT: '10000',
  SIGN_UP: 'invited',
  LOGIN_EMAIL: 'off',
  EMAIL_ENDPOINT: '',
  EMAIL_FROM: '',
  GITHUB_CLIENT_ID: '',
  GITHUB_URL: 'https://github.com',
  GITHUB_API_URL: 'https://api.github.com',
  ALLOWED_ADDRESSES: '',
  ALLOWED_HOSTS: '',
  RATE_LIMITS: '',
  HOST_AGENT_MINIMUM: '0.1.0',
  HOST_AGENT_LATEST: '0.1.0',
}

/** Secrets, handed to workerd through its environment so that no file but secrets.json holds them. */
export const SECRET_NAMES = ['ORC_SECRET', 'SIGNING_KEYS', 'SETUP_TOKEN'] as const

/** Secrets that an Orc may do without: it has them only where they were given. */
export const OPTIONAL_SECRET_NAMES = ['EMAIL_TOKEN', 'GITHUB_CLIENT_SECRET'] as const

/** The optional secrets that were given. */
export type OptionalSecrets = Readonly<Partial<Record<(typeof OPTIONAL_SECRET_NAMES)[number], string>>>

/** Durable Object storage is found again by these keys: changing one loses the data. */
export function uniqueKey(className: string): string {
  return `daisi-orc-${className}`
}
