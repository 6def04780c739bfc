import { type RequestOptions, optionHeaders, requestOptions } from '@daisi/protocol'

/** Which Hosts a Consumer wants for a Job, and how long it waits for one. */
export interface HostOptions {
  /** Alias of the only Host that will do. */
  readonly host?: string | undefined
  /** Aliases of Hosts that will not do. */
  readonly excludeHosts: readonly string[]
  readonly waitMs: number
}

/** What is wrong with options, and where they say it: the name of a header, or the path of a field. */
export interface OptionFault {
  readonly param: string
  /** Without its subject: `must be …`. */
  readonly message: string
}

export type ReadOptions =
  | { readonly ok: true; readonly options: RequestOptions }
  | { readonly ok: false; readonly fault: OptionFault }

/** Out of range, as what is no number at all is. */
const NO_NUMBER = -1

type OptionName = keyof RequestOptions
const NAMES = Object.keys(optionHeaders) as OptionName[]

/** The options that headers state. `header` answers the value of one. */
export function optionsOfHeaders(header: (name: string) => string | undefined): ReadOptions {
  const stated = NAMES.flatMap((name): [OptionName, unknown][] => {
    const text = header(optionHeaders[name])?.trim()
    return text === undefined ? [] : [[name, valueOf(name, text)]]
  })
  return parse(Object.fromEntries(stated), (name) => optionHeaders[name as OptionName])
}

/** The options that the field `daisi` of a body states. */
export function optionsOfBody(field: unknown): ReadOptions {
  return parse(field ?? {}, (path) => (path === '' ? 'daisi' : `daisi.${path}`))
}

/** Both together. What both state must be the same. */
export function joinOptions(headers: RequestOptions, body: RequestOptions): ReadOptions {
  const contested = NAMES.find(
    (name) =>
      headers[name] !== undefined &&
      body[name] !== undefined &&
      JSON.stringify(headers[name]) !== JSON.stringify(body[name]),
  )
  if (contested === undefined) return { ok: true, options: { ...body, ...headers } }
  const message = `says something else than the header ${optionHeaders[contested]}. Send one of them`
  return { ok: false, fault: { param: `daisi.${contested}`, message } }
}

/** What options say about Hosts. */
export function hostOptions({ host, exclude_hosts: excluded, wait }: RequestOptions): HostOptions {
  return { host, excludeHosts: excluded ?? [], waitMs: (wait ?? 0) * 1_000 }
}

function valueOf(name: OptionName, text: string): unknown {
  if (name === 'wait') return /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : NO_NUMBER
  if (name !== 'exclude_hosts') return text
  return text
    .split(',')
    .map((alias) => alias.trim())
    .filter((alias) => alias !== '')
}

function parse(value: unknown, paramOf: (path: string) => string): ReadOptions {
  const parsed = requestOptions.safeParse(value)
  if (parsed.success) return { ok: true, options: parsed.data }
  const issue = parsed.error.issues[0]
  const [name = ''] = issue?.path ?? []
  return { ok: false, fault: { param: paramOf(String(name)), message: issue?.message ?? 'is wrong' } }
}
