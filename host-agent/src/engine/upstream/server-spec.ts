/** Kinds of servers that answer with text. */
const TEXT_KINDS = ['ollama', 'lmstudio', 'vllm', 'llama-server', 'openai'] as const
/** Kinds of servers that answer with images. `images` speaks OpenAI's shape. */
const IMAGE_KINDS = ['images', 'a1111', 'forge', 'comfyui'] as const

export type TextServerKind = (typeof TEXT_KINDS)[number]
export type ImageServerKind = (typeof IMAGE_KINDS)[number]
type ServerKind = TextServerKind | ImageServerKind

/** What a model may be able to do and few servers tell: capabilities, and the kind `completion`. */
const ABILITIES = ['tools', 'vision', 'reasoning-effort', 'completion'] as const
type Ability = (typeof ABILITIES)[number]

/** What an owner says about a server. */
interface ServerFacts {
  /** http or https, without a slash at the end and without `/v1`. */
  readonly url: string
  /** Sent with each request and never logged. */
  readonly apiKey?: string
  /** Tokens of context of its models, where the server does not say. */
  readonly contextLength?: number
  /** Jobs that one of its models runs at once. */
  readonly slots?: number
  /** What its models do, where the server does not say. */
  readonly models?: 'chat' | 'embedding'
  /** What all of its models can do, where the server does not say. */
  readonly can?: readonly Ability[]
  /** The only models of it that are offered, by the server's names or the offered ones. */
  readonly only?: readonly string[]
}

/** A server that the owner of this machine runs. */
export type TextServerSpec = ServerFacts & { readonly type: 'text'; readonly kind: TextServerKind }
export type ImageServerSpec = ServerFacts & { readonly type: 'image'; readonly kind: ImageServerKind }
export type ServerSpec = TextServerSpec | ImageServerSpec

/** Where a server listens unless told otherwise. Those without an entry have no usual port. */
const USUAL_URLS: Partial<Record<ServerKind, string>> = {
  ollama: 'http://127.0.0.1:11434',
  lmstudio: 'http://127.0.0.1:1234',
  vllm: 'http://127.0.0.1:8000',
  'llama-server': 'http://127.0.0.1:8080',
  a1111: 'http://127.0.0.1:7860',
  forge: 'http://127.0.0.1:7860',
  comfyui: 'http://127.0.0.1:8188',
}

const OPTION_NAMES = ['context', 'slots', 'models', 'can', 'only', 'key-env']

export type ParsedServerSpec =
  | { readonly ok: true; readonly spec: ServerSpec }
  | { readonly ok: false; readonly problem: string }

/**
 * How an owner names a server: `ollama`, `vllm=http://127.0.0.1:8000`, `openai=https://gpu.lan/v1`. After a `#` come facts that
 * a server does not tell, joined by `&`: `context=8192`, `slots=4`, `models=embedding`,
 * `can=tools,vision` (and `reasoning-effort`, `completion`), `only=NAME,NAME` where not all of its models are
 * to be offered, and `key-env=NAME`, the environment variable that holds its API key.
 */
export function parseServerSpec(
  text: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ParsedServerSpec {
  const [address, options = ''] = splitOnce(text.trim(), '#')
  const [name, given] = splitOnce(address, '=')
  const kind = kindOf(name.trim().toLowerCase())
  if (kind === undefined) {
    const known = [...TEXT_KINDS, ...IMAGE_KINDS].join(', ')
    return problem(`${quoted(text)} names no kind of server; write one of ${known}`)
  }
  const url = given?.trim() ?? USUAL_URLS[kind]
  if (url === undefined || url === '')
    return problem(`${kind} has no usual address; write ${kind}=http://HOST:PORT`)
  const base = parseBase(url)
  if (typeof base !== 'string') return base
  const facts = parseOptions(options, environment)
  return 'problem' in facts
    ? problem(facts.problem)
    : { ok: true, spec: specOf(kind, { url: base, ...facts }) }
}

function kindOf(name: string): ServerKind | undefined {
  return [...TEXT_KINDS, ...IMAGE_KINDS].find((kind) => kind === name)
}

function isText(kind: ServerKind): kind is TextServerKind {
  return TEXT_KINDS.some((text) => text === kind)
}

/** True if a model is to be offered. */
export function isWanted({ only }: ServerSpec, serverName: string, id: string): boolean {
  return only === undefined || only.includes(serverName) || only.includes(id)
}

function specOf(kind: ServerKind, facts: ServerFacts): ServerSpec {
  return isText(kind) ? { type: 'text', kind, ...facts } : { type: 'image', kind, ...facts }
}

function parseBase(text: string): string | ParsedServerSpec {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return problem(`${quoted(text)} is no address; write one like http://127.0.0.1:8000`)
  if (url.username !== '' || url.password !== '')
    return problem('an address must not carry a password; name a variable that holds it with #key-env=NAME')
  if (url.search !== '') return problem(`${quoted(url.host)}: leave out what follows the ?`)
  return url.origin + url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')
}

type Facts = Omit<ServerFacts, 'url'>

function parseOptions(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): Facts | { readonly problem: string } {
  let facts: Facts = {}
  for (const [name, value] of new URLSearchParams(text)) {
    if (!OPTION_NAMES.includes(name))
      return { problem: `${quoted(name)} is unknown; after # may stand ${OPTION_NAMES.join(', ')}` }
    if (name === 'models') {
      if (value !== 'chat' && value !== 'embedding')
        return { problem: 'write models=chat or models=embedding' }
      facts = { ...facts, models: value }
    } else if (name === 'can') {
      const can = value.split(',').map((word) => ABILITIES.find((ability) => ability === word))
      if (!can.every((ability) => ability !== undefined))
        return { problem: `write can= and some of ${ABILITIES.join(', ')}, joined by commas` }
      facts = { ...facts, can }
    } else if (name === 'only') {
      const only = value.split(',').filter((model) => model !== '')
      if (only.length === 0) return { problem: 'write only= and names of models, joined by commas' }
      facts = { ...facts, only }
    } else if (name === 'key-env') {
      const apiKey = environment[value]
      if (apiKey === undefined || apiKey === '')
        return { problem: `the environment variable ${quoted(value)} is not set; put the API key into it` }
      if (!/^[\x21-\x7e]+$/.test(apiKey))
        return { problem: `the environment variable ${quoted(value)} holds no API key` }
      facts = { ...facts, apiKey }
    } else {
      const most = name === 'slots' ? 1_024 : 100_000_000
      const number = Number(value)
      if (!Number.isInteger(number) || number < 1 || number > most)
        return { problem: `${name} must be a whole number from 1 to ${most}` }
      facts = { ...facts, ...(name === 'slots' ? { slots: number } : { contextLength: number }) }
    }
  }
  return facts
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text }
}
