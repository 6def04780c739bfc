/** Body of `POST /v1/images/generations`, the part of OpenAI's shape that is served, and three further parameters. */
export interface ImageRequest {
  readonly model: string
  readonly prompt: string
  /** How many images, 1–10, default 1. */
  readonly n?: number | null | undefined
  /** Width and height in pixels such as `768x512`, each a multiple of 8 from 64 to 2,048; `auto`, the default, is `512x512`. */
  readonly size?: string | null | undefined
  /** `b64_json` is the default and the only format: nothing is kept that a URL could lead to. */
  readonly response_format?: string | null | undefined
  /** `png` asks for nothing in particular; `output_format` of the answer says what the images are. */
  readonly output_format?: string | null | undefined
  /** What the image shall not show. Only for Hosts that can honour it, as are the two that follow. */
  readonly negative_prompt?: string | null | undefined
  /** Steps of the sampler, 1–150. */
  readonly steps?: number | null | undefined
  /** Same seed, same Host, same request: same images. */
  readonly seed?: number | null | undefined
}

/** Answer of `POST /v1/images/generations`. */
export interface ImageList {
  /** Seconds since the epoch. */
  readonly created: number
  /** What the images are: as its Host made them. */
  readonly output_format: ImageFormat
  /** As many as were asked for, in base64. */
  readonly data: readonly { readonly b64_json: string }[]
  readonly usage: ImageUsage
}

export type ImageFormat = 'png' | 'jpeg' | 'webp'

/** What the images cost, in tokens: one for each 1,024 pixels begun of each of them. The prompt is free. */
export interface ImageUsage {
  readonly input_tokens: number
  readonly input_tokens_details: { readonly text_tokens: number; readonly image_tokens: number }
  readonly output_tokens: number
  readonly total_tokens: number
}
