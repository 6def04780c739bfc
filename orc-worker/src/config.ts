import { type AgentVersions, parseAgentVersions } from './domain/agent-versions.ts'
import { isCidr } from './domain/cidr.ts'
import { type EmailSettings, readEmailSettings } from './email/email-settings.ts'
import { type HostName, parseHostName } from './domain/host-name.ts'
import { type DerivedKeys, deriveKeys } from './domain/derived-keys.ts'
import { type RateLimits, parseRateLimits } from './domain/rate-limits.ts'
import { type GithubSettings, readGithubSettings } from './github/settings.ts'
import { type SigningKeys, readSigningKeys } from './domain/session-token.ts'

/** Version of the Orc, shown in `/.well-known/daisi`. */
export const ORC_VERSION = '0.1.0'

/** The Network that a new key or Host is for if nothing else is said. */
export const PUBLIC_NETWORK = 'public'

/** What the Worker knows about itself: parsed from the environment once for each isolate. */
export interface Config {
  readonly name: string
  readonly issuer: string
  readonly keys: DerivedKeys
  readonly signing: SigningKeys
  /** Credits that a new account gets. */
  readonly signupGrant: number
  /** Who may make an account by logging in. */
  readonly signUp: 'invited' | 'open'
  /** CIDR blocks from which anybody may speak to this Orc at all. Empty: from anywhere. */
  readonly allowedAddresses: readonly string[]
  /** Names under which this Orc may be called. Empty: all, for platforms that hand a Worker nothing but its own. */
  readonly allowedHosts: readonly HostName[]
  /** How often each caller may ask for what. */
  readonly rateLimits: RateLimits
  /** The versions of daisi-host that Hosts are told of. */
  readonly agent: AgentVersions
  /** How login codes reach people. */
  readonly email: EmailSettings
  /** Undefined: nobody logs in by GitHub. */
  readonly github: GithubSettings | undefined
}

let cached: { settings: string; config: Promise<Config> } | undefined
/** By the object itself, which stays the same from request to request: comparing all settings each time costs more than it tells. */
const known = new WeakMap<Env, Promise<Config>>()

/** The configuration. Rejects with what is wrong and how to set it; the reason never holds a secret. */
export function readConfig(env: Env): Promise<Config> {
  const config = known.get(env) ?? readAnew(env)
  known.set(env, config)
  return config
}

function readAnew(env: Env): Promise<Config> {
  const settings = Object.values(env)
    .filter((value) => typeof value === 'string')
    .join('\n')
  if (cached?.settings !== settings) cached = { settings, config: parse(env) }
  return cached.config
}

async function parse(env: Env): Promise<Config> {
  const [keys, signing] = await Promise.all([deriveKeys(env.ORC_SECRET), readSigningKeys(env.SIGNING_KEYS)])
  const signupGrant = Number(env.SIGNUP_GRANT)
  if (!Number.isSafeInteger(signupGrant) || signupGrant < 0) {
    throw new Error('SIGNUP_GRANT must be a whole number of credits from 0 up')
  }
  return {
    name: env.ORC_NAME,
    issuer: keys.issuer,
    keys,
    signing,
    signupGrant,
    signUp: readSignUp(env),
    allowedAddresses: readAllowedAddresses(env),
    allowedHosts: readAllowedHosts(env),
    rateLimits: parseRateLimits(env.RATE_LIMITS),
    agent: parseAgentVersions(env.HOST_AGENT_MINIMUM, env.HOST_AGENT_LATEST),
    email: readEmailSettings(env),
    github: readGithubSettings(env),
  }
}

function readAllowedAddresses({ ALLOWED_ADDRESSES }: Env): readonly string[] {
  const given = listed(ALLOWED_ADDRESSES)
  const wrong = given.find((block) => !isCidr(block))
  if (wrong === undefined) return given
  throw new Error(`ALLOWED_ADDRESSES: ${wrong} is no CIDR block; write for instance 192.168.0.0/16,fd00::/8`)
}

function readAllowedHosts({ ALLOWED_HOSTS }: Env): readonly HostName[] {
  return listed(ALLOWED_HOSTS).map((text) => {
    const host = parseHostName(text)
    if (host !== undefined) return host
    throw new Error(
      `ALLOWED_HOSTS: ${text} is no host; write for instance orc.example,192.168.1.5:8787,[::1]`,
    )
  })
}

/** The parts of a list with commas. */
function listed(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim())
  return parts.filter((part) => part !== '')
}

function readSignUp(env: Env): Config['signUp'] {
  if (env.SIGN_UP === 'invited' || env.SIGN_UP === 'open') return env.SIGN_UP
  throw new Error('SIGN_UP must be "invited" or "open"')
}
