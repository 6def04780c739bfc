import type OpenAI from 'openai'
import type { ImageRequest, ImageUsage } from '../consumer/images.ts'
import { sidesOf, unservedImageParameters } from '../consumer/images.schema.ts'
import type { JobUsage } from '../host/job.ts'
import { type ImagePayload, imageTokens } from '../host/job-payloads.ts'
import { capability } from '../host/model.ts'
import { type RequestFault, unservedParameter } from '../request-fault.ts'
import type { ParameterNeed } from './sampling-mapping.ts'

/** Where the caller names no size, or `auto`. */
const DEFAULT_SIDES = { width: 512, height: 512 } as const

/** What is wrong with a request whose shape is right, or undefined. */
export function imageFault(request: ImageRequest): RequestFault | undefined {
  return unservedParameter(request as unknown as Record<string, unknown>, unservedImageParameters)
}

/** What a Host must be able to do so that no parameter of this request is ignored (rule A9). */
export function imageNeeds(request: ImageRequest): ParameterNeed[] {
  return NEEDS.filter(({ parameter }) => (request[parameter] ?? '') !== '')
}

const NEEDS = [
  { parameter: 'seed', capability: capability.seed },
  { parameter: 'negative_prompt', capability: capability.negativePrompt },
  { parameter: 'steps', capability: capability.steps },
] as const

/** What the Host is given. */
export function toImagePayload(request: ImageRequest): ImagePayload {
  const { prompt, size, n } = request
  const { negative_prompt: negativePrompt, steps, seed } = request
  return {
    prompt,
    count: n ?? 1,
    ...(sidesOf(size ?? 'auto') ?? DEFAULT_SIDES),
    ...(typeof negativePrompt === 'string' && negativePrompt !== '' ? { negativePrompt } : {}),
    ...(typeof steps === 'number' ? { steps } : {}),
    ...(typeof seed === 'number' ? { seed } : {}),
  }
}

/** The price of all images of a Job in tokens (rule P6). */
export function imagesTokens({ count, width, height }: ImagePayload): number {
  return count * imageTokens(width, height)
}

/** What images took, in OpenAI's words. */
export function imageUsage({ promptTokens, generatedTokens }: JobUsage): ImageUsage {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { text_tokens: promptTokens, image_tokens: 0 },
    output_tokens: generatedTokens,
    total_tokens: promptTokens + generatedTokens,
  } satisfies OpenAI.ImagesResponse['usage']
}
