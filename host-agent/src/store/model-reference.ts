import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A model behind a network. */
export type RemoteReference =
  | { readonly source: 'url'; readonly url: string }
  | HubFile
  | {
      /** The file of a repository that Hugging Face chooses for a quantization; `latest` is its own choice. */
      readonly source: 'hub-quantization'
      readonly repository: string
      readonly quantization: string
      readonly revision: string
    }

/** One file of a repository on Hugging Face. */
export interface HubFile {
  readonly source: 'hub-file'
  /** `user/name`. */
  readonly repository: string
  /** Path in the repository. */
  readonly file: string
  /** Branch, tag or commit. */
  readonly revision: string
}

/** How an owner names a model. */
export type ModelReference = { readonly source: 'file'; readonly path: string } | RemoteReference

export type ParsedReference<Reference = ModelReference> =
  | { readonly ok: true; readonly reference: Reference }
  | { readonly ok: false; readonly code: 'bad_reference'; readonly message: string }

const DEFAULT_REVISION = 'main'
const DEFAULT_QUANTIZATION = 'latest'
const MAX_LENGTH = 4_096
const NAME = /^[\w.-]{1,128}$/
const HUB_HOSTS = new Set(['huggingface.co', 'www.huggingface.co', 'hf.co'])
const HUB_PREFIX = /^(?:hf:(?:\/\/)?|(?:www\.)?huggingface\.co\/|hf\.co\/)/i
const SCHEME = /^([a-z][a-z0-9+.-]+):\/\//i

/**
 * Understands a path, `https://…`, `hf:user/repo/folder/file.gguf#revision` and `hf:user/repo:quantization`. Addresses of pages
 * and files of Hugging Face, as a browser shows them, become the `hf:` form. Paths become absolute: parse them where they are typed.
 */
export function parseModelReference(text: string): ParsedReference {
  const trimmed = text.trim()
  if (trimmed === '') return problem('give a path, an address or hf:user/repo:quantization')
  if (trimmed.length > MAX_LENGTH || /\p{Cc}/u.test(trimmed))
    return problem('this is no path and no address; check what was pasted')
  const parsed = parseTrimmed(trimmed)
  return parsed.ok && isOnePartOfMany(parsed.reference) ? splitModel() : parsed
}

/** As `parseModelReference`, for what is behind a network only. */
export function parseRemoteReference(text: string): ParsedReference<RemoteReference> {
  const parsed = parseModelReference(text)
  if (!parsed.ok) return parsed
  const { reference } = parsed
  return reference.source === 'file'
    ? problem('this is a path on this machine; give an address or hf:user/repo:quantization')
    : { ok: true, reference }
}

/** The reference as text, which `parseModelReference` understands. Equal for equal models. */
export function referenceText(reference: ModelReference): string {
  switch (reference.source) {
    case 'file':
      return reference.path
    case 'url':
      return reference.url
    case 'hub-file':
      return `hf:${reference.repository}/${reference.file}${revisionText(reference.revision)}`
    case 'hub-quantization':
      return `hf:${reference.repository}:${reference.quantization}${revisionText(reference.revision)}`
  }
}

/** The name that the file has where it comes from. */
export function fileNameOf(reference: RemoteReference): string {
  switch (reference.source) {
    case 'url':
      return lastSegment(decode(new URL(reference.url).pathname) ?? '')
    case 'hub-file':
      return lastSegment(reference.file)
    case 'hub-quantization':
      return `${lastSegment(reference.repository)}-${reference.quantization}`
  }
}

/** True for one file of a model that is cut into several. Its hash would say nothing about the others. */
export function isPartName(name: string): boolean {
  const match = /-(\d{5})-of-(\d{5})\.gguf$/i.exec(name)
  return match !== null && match[2] !== '00001'
}

function parseTrimmed(text: string): ParsedReference {
  if (HUB_PREFIX.test(text)) return parseHub(text.replace(HUB_PREFIX, ''))
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return { ok: true, reference: { source: 'file', path: resolve(text) } }
  if (!URL.canParse(text)) return problem('this is no valid address; check what was pasted')
  const url = new URL(text)
  if (scheme === 'file') return parseFileUrl(url)
  if (scheme !== 'http' && scheme !== 'https')
    return problem(`${scheme}: is not supported; give a path, http(s)://… or hf:user/repo:quantization`)
  if (url.username !== '' || url.password !== '')
    return problem(
      'addresses with a user and a password are not supported; download the file and give its path',
    )
  if (HUB_HOSTS.has(url.hostname)) return parseHubPage(url)
  url.hash = ''
  return { ok: true, reference: { source: 'url', url: url.href } }
}

function parseFileUrl(url: URL): ParsedReference {
  try {
    return { ok: true, reference: { source: 'file', path: fileURLToPath(url) } }
  } catch {
    return problem('this is no address of a file on this machine; give its path')
  }
}

/** `user/repo`, `user/repo:quantization` or `user/repo/path/file.gguf`, each with `#revision` or without. */
function parseHub(text: string): ParsedReference {
  const [place = '', revision = DEFAULT_REVISION, ...more] = text.split('#')
  const [user = '', name = '', ...path] = place.split('/')
  const [repository = '', quantization = DEFAULT_QUANTIZATION, ...rest] = name.split(':')
  const isPage = path.length > 0 && path.join('') === ''
  if (more.length > 0 || rest.length > 0 || !NAME.test(user) || !NAME.test(repository)) return badHub()
  if (!isRevision(revision)) return problem(`${revision} is no branch, tag or commit of a repository`)
  const shared = { repository: `${user}/${repository}`, revision }
  if (path.length === 0 || isPage) {
    if (!NAME.test(quantization)) return badHub()
    return { ok: true, reference: { source: 'hub-quantization', quantization, ...shared } }
  }
  if (name.includes(':') || path.some((part) => part === '' || part === '.' || part === '..')) return badHub()
  const file = path.join('/')
  if (!/\.gguf$/i.test(file)) return problem(`${file} is no GGUF file; choose a file that ends in .gguf`)
  return { ok: true, reference: { source: 'hub-file', file, ...shared } }
}

/** `/user/repo`, or `/user/repo/{blob,resolve,raw,tree}/revision/…`. */
function parseHubPage(url: URL): ParsedReference {
  const parts = url.pathname.split('/').slice(1).map(decode)
  if (parts.some((part) => part === undefined)) return badHub()
  const [user = '', repository = '', view, revision = DEFAULT_REVISION, ...path] = parts as string[]
  if (view === undefined || view === '' || view === 'tree') return parseHub(`${user}/${repository}`)
  if (!['blob', 'resolve', 'raw'].includes(view)) return badHub()
  return parseHub(`${user}/${repository}/${path.join('/')}#${revision}`)
}

function isOnePartOfMany(reference: ModelReference): boolean {
  return isPartName(reference.source === 'file' ? reference.path : fileNameOf(reference))
}

function isRevision(text: string): boolean {
  return /^[\w./-]{1,128}$/.test(text) && !text.split('/').some((part) => part === '' || /^\.+$/.test(part))
}

function revisionText(revision: string): string {
  return revision === DEFAULT_REVISION ? '' : `#${revision}`
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function badHub(): ParsedReference {
  return problem('give a model of Hugging Face as hf:user/repo/file.gguf or hf:user/repo:quantization')
}

function splitModel(): ParsedReference {
  return problem(
    'models in several files are not supported; choose a quantization in one file, or join it with: llama-gguf-split --merge',
  )
}

function problem(message: string): { ok: false; code: 'bad_reference'; message: string } {
  return { ok: false, code: 'bad_reference', message }
}
