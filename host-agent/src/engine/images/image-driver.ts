import { imageCharacterLimit, type ImagePayload, imageTokens, MAX_IMAGE_SIDE } from '@daisi/protocol'

/** One model that an image server has. */
export interface ImageModelFacts {
  /** How the server calls it. */
  readonly serverName: string
}

/** What a server can be told beyond prompt and size. */
export type ImageWish = 'negativePrompt' | 'steps' | 'seed'

/** One image to make. */
export interface ImageOrder extends Pick<
  ImagePayload,
  'prompt' | 'negativePrompt' | 'width' | 'height' | 'steps' | 'seed'
> {
  readonly serverName: string
}

/** A way to speak to one kind of image server. Each call throws a `ServerError`, or the signal's reason once that is aborted. */
export interface ImageDriver {
  readonly name: string
  /** What this server honours; known once it was looked at. */
  readonly wishes: ReadonlySet<ImageWish>
  discover(signal: AbortSignal): Promise<readonly ImageModelFacts[]>
  /** One image: a file that the server says is PNG, JPEG or WebP. Aborting the signal also stops the server's work where it can be told. */
  generate(order: ImageOrder, signal: AbortSignal): Promise<Buffer>
}

/** Time for one image. Servers load a model with the first job that asks for it. */
export const IMAGE_TIMEOUT_MS = 4 * 60_000

/** The largest image in base64, in characters. */
const MOST_CHARACTERS = imageCharacterLimit(imageTokens(MAX_IMAGE_SIDE, MAX_IMAGE_SIDE))

/** Largest image file, in bytes. */
export const MOST_IMAGE_BYTES = Math.floor((MOST_CHARACTERS * 3) / 4)

/** Largest answer with one image in base64 and a few words beside it. */
export const MOST_IMAGE_ANSWER_BYTES = MOST_CHARACTERS + 1024 * 1024
