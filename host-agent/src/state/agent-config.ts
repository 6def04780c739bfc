import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import { parseCertificatePin } from '../certificate-pin.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { ownerSettings } from './owner-settings.ts'
import { configProblem } from './config-problem.ts'
import { writeJsonFile } from './json-file.ts'

const httpUrl = z
  .string()
  .max(2_048)
  .refine(isHttpUrl, 'must be an address like https://orc.example')
  .overwrite((text) => (isHttpUrl(text) ? withoutSlash(new URL(text)) : text))
  .describe('an http or https address')

const certificatePin = z
  .string()
  .transform((text, context) => {
    const pin = parseCertificatePin(text)
    if (pin !== undefined) return pin
    context.addIssue("must be the SHA-256 of the Orc's certificate: sha256: and 64 hex digits")
    return z.NEVER
  })
  .describe('sha256: and 64 hex digits')

const orcEntry = z.strictObject({
  url: httpUrl,
  /** SHA-256 of its certificate, instead of trust in authorities. */
  pin: certificatePin.optional(),
  /** True allows http: outside the local network. */
  insecure: z.boolean().default(false),
})

const directConfig = z.strictObject({
  listen: z
    .string()
    .refine(isListenAddress, 'must be an IP address and a port, like 0.0.0.0:8790 or [::]:8790')
    .describe('an IP address and a port, like 0.0.0.0:8790'),
  /** Address that Consumers are told; null: the one listened on. */
  url: httpUrl.nullable().default(null),
  /** Paths of certificate and key in PEM; null: a pair made here. */
  certificateFile: z.string().min(1).nullable().default(null),
  keyFile: z.string().min(1).nullable().default(null),
  /** True: no TLS, for the local network only. */
  plainLan: z.boolean().default(false),
})

/**
 * What stands in `config.json` of the state folder: what this Host serves and to whom, and what its owner wants. Everything
 * has a default, and the file names only what differs. Options and the environment go before it.
 */
export const agentConfig = z.strictObject({
  /** Name of this Host in its owner's list; null: its alias. */
  name: z.string().trim().min(1).max(64).nullable().default(null),
  orcs: z
    .array(orcEntry)
    .max(16)
    .refine((orcs) => new Set(orcs.map(({ url }) => url)).size === orcs.length, 'must not name an Orc twice')
    .default([]),
  /** Jobs that run at once with each model. */
  slots: z.int().min(1).max(1_024).default(4),
  /** Jobs that may wait. */
  queue: z.int().min(0).max(100_000).default(16),
  /** Tokens of context for each slot; null: as many as memory and model allow. */
  contextLength: z.int().min(1).max(100_000_000).nullable().default(null),
  /** False keeps the work on the CPU. */
  gpu: z.boolean().default(true),
  /** Servers of the owner to offer models of, such as `ollama` or `vllm=http://127.0.0.1:8000`. */
  servers: z.array(z.string().trim().min(1).max(2_048)).max(32).default([]),
  /** Where downloaded models lie; null: in the folder for data of this user. */
  modelsFolder: z.string().min(1).max(4_096).nullable().default(null),
  /** How Consumers reach this Host directly; null: not at all. */
  direct: directConfig.nullable().default(null),
  /** Port on loopback for `/metrics`; null: none. */
  metricsPort: z.int().min(1).max(65_535).nullable().default(null),
  /** Seconds that running jobs have to end when the agent stops. */
  drainTimeoutSeconds: z.int().min(0).max(86_400).default(30),
  settings: ownerSettings.prefault({}),
})
export type AgentConfig = z.output<typeof agentConfig>

/** The file that `readAgentConfig` and `writeAgentConfig` mean. */
export function agentConfigPath(stateFolder: string): string {
  return join(stateFolder, 'config.json')
}

/** The configuration, or defaults where there is no file. Throws a `FatalError` that names the wrong field; the file stays as it is. */
export async function readAgentConfig(stateFolder: string): Promise<AgentConfig> {
  const path = agentConfigPath(stateFolder)
  const parsed = agentConfig.safeParse(await readJson(path))
  if (parsed.success) return parsed.data
  throw unusable(`${path}: ${configProblem(agentConfig, parsed.error)}`, parsed.error)
}

/** Writes what differs from the defaults, in one step. Throws a `FatalError`. */
export async function writeAgentConfig(stateFolder: string, config: AgentConfig): Promise<void> {
  await writeJsonFile(agentConfigPath(stateFolder), differences(config, agentConfig.parse({})))
}

async function readJson(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw unusable(`${path} cannot be read; check its owner and permissions`, error)
  }
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw unusable(`${path} is no JSON${placeOf(error, text)}; correct it, or move it away`, error)
  }
}

/** Where JSON breaks, if the parser says so. Its own message quotes the file, which may hold a server's key. */
function placeOf(error: unknown, text: string): string {
  const message = error instanceof Error ? error.message : ''
  const position =
    /at position (\d+)/.exec(message)?.[1] ?? (/end of JSON/.test(message) ? text.length : undefined)
  if (position === undefined) return ''
  return ` from line ${text.slice(0, Number(position)).split('\n').length} on`
}

/** What of `value` is not as in `defaults`; nested objects likewise. */
function differences(
  value: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const changed = Object.entries(value).filter(([key, field]) => !isDeepStrictEqual(field, defaults[key]))
  return Object.fromEntries(
    changed.map(([key, field]) => {
      const standard = defaults[key]
      return [key, isRecord(field) && isRecord(standard) ? differences(field, standard) : field]
    }),
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)
}

function withoutSlash(url: URL): string {
  return (url.origin + url.pathname).replace(/\/+$/, '')
}

function isListenAddress(text: string): boolean {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const isHost = plain === 'localhost' || isIP(bracketed ?? plain ?? '') !== 0
  return isHost && Number(port) <= 65_535
}

function unusable(message: string, cause: unknown): FatalError {
  return new FatalError(ExitCode.State, 'config_unusable', message, cause)
}
