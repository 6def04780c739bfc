import { DownloadError } from './download-error.ts'
import type { RemoteReference } from './model-reference.ts'

/** Hugging Face, or a mirror of it. */
export interface Hub {
  /** Address without a slash at its end. */
  readonly endpoint: string
  /** Sent to this endpoint only. */
  readonly token: string | undefined
}

const DEFAULT_ENDPOINT = 'https://huggingface.co'

/** The hub named by `HF_ENDPOINT` and `HF_TOKEN`. Throws a `DownloadError` if they are unusable. */
export function hubFromEnvironment(environment: Readonly<Record<string, string | undefined>>): Hub {
  const endpoint = environment['HF_ENDPOINT']?.trim() || DEFAULT_ENDPOINT
  const token = environment['HF_TOKEN']?.trim() || undefined
  if (!/^https?:\/\//i.test(endpoint) || !URL.canParse(endpoint))
    throw new DownloadError('bad_reference', 'HF_ENDPOINT is no address; set it to one like https://…')
  // `fetch` would name a token that fits no header in its error.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new DownloadError('access_denied', 'HF_TOKEN is no token; copy it anew from your settings there')
  return { endpoint: endpoint.replace(/[?#].*$/, '').replace(/\/+$/, ''), token }
}

/** Where to ask for a reference. */
export function remoteUrl(
  hub: Hub,
  reference: Exclude<RemoteReference, { source: 'hub-quantization' }>,
): string {
  if (reference.source === 'url') return reference.url
  const { repository, file, revision } = reference
  const path = file.split('/').map(encodeURIComponent).join('/')
  return `${hub.endpoint}/${repository}/resolve/${encodeURIComponent(revision)}/${path}`
}
