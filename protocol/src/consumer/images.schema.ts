import * as z from 'zod'
import { MAX_IMAGE_SIDE, imagePayload } from '../host/job-payloads.ts'
import type { ImageRequest } from './images.ts'

/** Smallest side of an image, in pixels. */
const MIN_IMAGE_SIDE = 64
/** Models make images of whole blocks of so many pixels. */
const BLOCK = 8

const { prompt, negativePrompt, count, steps, seed } = imagePayload.shape

/**
 * Body of `POST /v1/images/generations`. Loose as that of chats; what would change the images and is not served is refused by
 * name, see `unservedImageParameters`.
 */
export const imageRequest = z.looseObject({
  model: z.string().min(1).max(128),
  prompt,
  n: count.nullish(),
  size: z
    .string()
    .max(16)
    .refine(
      (size) => size === 'auto' || sidesOf(size) !== undefined,
      `must be auto or like 768x512, each side a multiple of ${BLOCK} from ${MIN_IMAGE_SIDE} to ${MAX_IMAGE_SIDE}`,
    )
    .nullish(),
  response_format: z.string().nullish(),
  output_format: z.string().nullish(),
  negative_prompt: negativePrompt.nullish(),
  steps: steps.nullish(),
  seed: seed.nullish(),
}) satisfies z.ZodType<ImageRequest>

/** OpenAI's parameters that are not served, each with the values that ask for nothing and are therefore harmless. */
export const unservedImageParameters: Readonly<Record<string, readonly unknown[]>> = {
  response_format: ['b64_json'],
  output_format: ['png'],
  output_compression: [100],
  quality: ['auto', 'standard'],
  style: ['vivid'],
  background: ['auto'],
  moderation: ['auto'],
  stream: [false],
  partial_images: [0],
}

/** Width and height of a size such as `768x512`, or undefined if it is none. */
export function sidesOf(size: string): { readonly width: number; readonly height: number } | undefined {
  const { groups } = /^(?<width>[1-9]\d{1,3})x(?<height>[1-9]\d{1,3})$/.exec(size) ?? {}
  const [width, height] = [Number(groups?.['width']), Number(groups?.['height'])]
  return isSide(width) && isSide(height) ? { width, height } : undefined
}

function isSide(pixels: number): boolean {
  return pixels % BLOCK === 0 && pixels >= MIN_IMAGE_SIDE && pixels <= MAX_IMAGE_SIDE
}
