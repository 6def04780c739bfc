import type { ImageList, ImageRequest } from '@daisi/protocol/consumer'
import { Daisi } from './daisi.ts'
import type { RequestOptions } from './options.ts'

/** What to show and how. */
export type ImageParameters = Omit<ImageRequest, 'response_format' | 'output_format'>

/**
 * Images for a text, as files in base64; `output_format` says of which kind.
 *
 * @throws {DaisiError} for instance `no_host_available`.
 * @example
 * ```ts
 * const { data, output_format } = await generateImages(daisi, { model: 'sdxl', prompt: 'a daisy', size: '512x512' })
 * const source = `data:image/${output_format};base64,${data[0]?.b64_json}`
 * ```
 */
export async function generateImages(
  daisi: Daisi,
  request: ImageParameters,
  options?: RequestOptions,
): Promise<ImageList> {
  const call = { method: 'POST', path: '/images/generations', body: request, joinsSession: true } as const
  return await Daisi.transportOf(daisi).value(call, isImageList, options)
}

function isImageList(value: unknown): value is ImageList {
  return typeof value === 'object' && value !== null && 'data' in value && Array.isArray(value.data)
}
