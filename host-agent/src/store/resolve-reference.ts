import { DownloadError } from './download-error.ts'
import { placeOf } from './http-answer.ts'
import { Attempts, type HttpContext } from './http-get.ts'
import { type Hub, remoteUrl } from './hub.ts'
import { chooseHubFile } from './hub-quantization.ts'
import type { RemoteReference } from './model-reference.ts'
import { RemoteFile } from './remote-file.ts'

/** What a server says about a model before it is downloaded. */
export interface ResolvedModel {
  /** The reference, with the file that a quantization stands for. */
  readonly reference: Exclude<RemoteReference, { source: 'hub-quantization' }>
  readonly file: RemoteFile
  readonly sizeBytes: number
  /** Changes with the file, if the server tells. */
  readonly validator: string | undefined
  /** Where the server states it. */
  readonly sha256: string | undefined
  /** False: it comes as a whole or not at all. */
  readonly ranges: boolean
}

const MAGIC = 'GGUF'

/** An interactive user waits for this: it gives up sooner than a download that runs. */
const MAX_RETRIES = 2

/**
 * Asks the server about a model. Reads its first bytes instead of sending HEAD: signed addresses allow no HEAD, and the bytes
 * show that it is a model. Throws a `DownloadError`.
 */
export async function resolveReference(
  reference: RemoteReference,
  hub: Hub,
  context: HttpContext,
): Promise<ResolvedModel> {
  const patience = { ...context, retries: Math.min(context.retries, MAX_RETRIES) }
  const chosen =
    reference.source === 'hub-quantization' ? await chooseHubFile(hub, reference, patience) : reference
  const file = new RemoteFile(remoteUrl(hub, chosen), chosen.source === 'url' ? undefined : hub)
  const attempts = new Attempts(patience)
  while (true) {
    try {
      return { reference: chosen, file, ...(await probe(file, patience)) }
    } catch (error) {
      await attempts.afterFailure(error)
    }
  }
}

async function probe(
  file: RemoteFile,
  context: HttpContext,
): Promise<Omit<ResolvedModel, 'reference' | 'file'>> {
  await using answer = await file.get({ start: 0, end: MAGIC.length }, context)
  const { totalBytes, validator, sha256, range } = answer
  const place = placeOf(file.url)
  const start = await answer.readStart(MAGIC.length)
  if (start.toString('latin1') !== MAGIC)
    throw new DownloadError('not_a_model', `${place} is no GGUF file; choose a file that ends in .gguf`)
  if (totalBytes === undefined)
    throw new DownloadError('server_failed', `${place} does not say how large it is; choose another address`)
  return { sizeBytes: totalBytes, validator, sha256, ranges: range !== undefined }
}
