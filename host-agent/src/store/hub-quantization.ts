import * as z from 'zod'
import { DownloadError } from './download-error.ts'
import { getWithRetries, type HttpContext } from './http-get.ts'
import type { Hub } from './hub.ts'
import { type HubFile, isPartName, type RemoteReference } from './model-reference.ts'

/** Only for this name does the hub say which file it chooses. */
const MANIFEST_USER_AGENT = 'llama-cpp'

const MAX_MANIFEST_BYTES = 1024 * 1024

const manifest = z.looseObject({ ggufFile: z.looseObject({ rfilename: z.string().max(1_024) }) })

/** The file that the hub chooses for a quantization. Throws a `DownloadError`. */
export async function chooseHubFile(
  hub: Hub,
  reference: Extract<RemoteReference, { source: 'hub-quantization' }>,
  context: HttpContext,
): Promise<HubFile> {
  const { repository, quantization, revision } = reference
  const url = `${hub.endpoint}/v2/${repository}/manifests/${encodeURIComponent(quantization)}`
  const answer = await getWithRetries({ url, hub, userAgent: MANIFEST_USER_AGENT }, context)
  const file = manifest.safeParse(parseJson(await answer.readAll(MAX_MANIFEST_BYTES))).data?.ggufFile
    .rfilename
  if (file === undefined || !/\.gguf$/i.test(file) || file.split('/').some((part) => /^\.*$/.test(part)))
    throw new DownloadError(
      'model_not_found',
      `${repository} has no GGUF file for ${quantization}; choose another quantization, or name a file`,
    )
  if (isPartName(file))
    throw new DownloadError(
      'bad_reference',
      `${repository} has ${quantization} in several files only, which is not supported; choose a smaller quantization`,
    )
  return { source: 'hub-file', repository, file, revision }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
