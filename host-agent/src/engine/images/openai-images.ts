import * as z from 'zod'
import { listModels } from '../upstream/model-list.ts'
import type { ServerClient } from '../upstream/server-client.ts'
import { base64Image } from './base64-image.ts'
import {
  type ImageDriver,
  type ImageModelFacts,
  type ImageOrder,
  type ImageWish,
  IMAGE_TIMEOUT_MS,
  MOST_IMAGE_ANSWER_BYTES,
} from './image-driver.ts'

const answer = z.looseObject({ data: z.array(z.looseObject({ b64_json: z.string() })).min(1) })

const NEVER = new AbortController().signal

/** What stable-diffusion.cpp's server always calls its model. */
const SD_SERVER_MODEL = 'sd-cpp-local'

/**
 * Servers with OpenAI's `POST /v1/images/generations`: sd-server, LocalAI and others. OpenAI's shape knows neither seed nor steps
 * nor a negative prompt; sd-server takes them in a block within the prompt, the others are not known to.
 */
export class OpenAiImages implements ImageDriver {
  readonly name = 'images'
  readonly #client: ServerClient
  #wishes: ReadonlySet<ImageWish> = new Set()
  #isSdServer = false

  constructor(client: ServerClient) {
    this.#client = client
  }

  get wishes(): ReadonlySet<ImageWish> {
    return this.#wishes
  }

  async discover(signal: AbortSignal): Promise<readonly ImageModelFacts[]> {
    const listed = await listModels(this.#client, signal)
    this.#isSdServer = listed.some(({ id }) => id === SD_SERVER_MODEL)
    this.#wishes = new Set(this.#isSdServer ? ['negativePrompt', 'steps', 'seed'] : [])
    return listed.map(({ id }) => ({ serverName: id }))
  }

  async generate(order: ImageOrder, signal: AbortSignal): Promise<Buffer> {
    const { serverName, prompt, width, height } = order
    const body = {
      model: serverName,
      prompt: `${prompt}${extraArguments(order)}`,
      n: 1,
      size: `${width}x${height}`,
      response_format: 'b64_json',
    }
    const limits = { body, gapTimeoutMs: IMAGE_TIMEOUT_MS, mostBytes: MOST_IMAGE_ANSWER_BYTES }
    // sd-server makes an image to its end, whoever has gone: until then the next one would only wait in its line.
    const options = { signal: this.#isSdServer ? NEVER : signal, ...limits }
    const { data } = await this.#client.json('/v1/images/generations', answer, options)
    signal.throwIfAborted()
    return base64Image(data[0]?.b64_json ?? '')
  }
}

/** The block that sd-server looks for. Nothing that a Consumer wrote can end it: there is no `<` in it that JSON does not escape. */
function extraArguments({ negativePrompt, steps, seed }: ImageOrder): string {
  const extra = {
    ...(negativePrompt !== undefined && { negative_prompt: negativePrompt }),
    ...(steps !== undefined && { sample_params: { sample_steps: steps } }),
    ...(seed !== undefined && { seed }),
  }
  if (Object.keys(extra).length === 0) return ''
  const json = JSON.stringify(extra).replaceAll('<', '\\u003c')
  return ` <sd_cpp_extra_args>${json}</sd_cpp_extra_args>`
}
