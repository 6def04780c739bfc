import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { sleep } from '../../clock.ts'
import { whereKnown } from '../upstream/where-known.ts'
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

const checkpoints = z.array(z.looseObject({ title: z.string().min(1), model_name: z.string().min(1) }))
const answer = z.looseObject({ images: z.array(z.string()).min(1) })
const progress = z.looseObject({ active: z.boolean(), queued: z.boolean().optional() })

/** Pause between two questions whether a job that was given up has its turn. */
const POLL_MS = 400
const NEVER = new AbortController().signal

/** Time for the server to be told that a job is over. */
const INTERRUPT_TIMEOUT_MS = 5_000

/** AUTOMATIC1111's web UI, and Forge, which took over its API. */
export class WebUiImages implements ImageDriver {
  readonly name: string
  readonly wishes: ReadonlySet<ImageWish> = new Set(['negativePrompt', 'steps', 'seed'])
  readonly #client: ServerClient

  constructor(name: string, client: ServerClient) {
    this.name = name
    this.#client = client
  }

  async discover(signal: AbortSignal): Promise<readonly ImageModelFacts[]> {
    const found = await this.#client.json('/sdapi/v1/sd-models', checkpoints, { signal })
    return found.map(({ model_name }) => ({ serverName: model_name }))
  }

  /** The owner's own choice of model is put back after each image, and nothing is saved on their disk. */
  async generate(order: ImageOrder, signal: AbortSignal): Promise<Buffer> {
    const { serverName, prompt, negativePrompt, width, height, steps, seed } = order
    const taskId = `task(daisi-${randomUUID()})`
    const body = {
      prompt: onePrompt(prompt),
      ...(negativePrompt !== undefined && { negative_prompt: onePrompt(negativePrompt) }),
      width,
      height,
      ...(steps !== undefined && { steps }),
      ...(seed !== undefined && { seed }),
      batch_size: 1,
      n_iter: 1,
      override_settings: { sd_model_checkpoint: serverName },
      override_settings_restore_afterwards: true,
      send_images: true,
      save_images: false,
      force_task_id: taskId,
    }
    const options = { signal, body, gapTimeoutMs: IMAGE_TIMEOUT_MS, mostBytes: MOST_IMAGE_ANSWER_BYTES }
    try {
      const { images } = await this.#client.json('/sdapi/v1/txt2img', answer, options)
      return base64Image(images[0] ?? '')
    } finally {
      if (signal.aborted) await this.#interrupt(taskId)
    }
  }

  /**
   * Closing the connection does not stop it, and nothing takes it out of the line: it is stopped when its turn comes, and until then no
   * other job is sent. Where it can be known that another job runs, that one is left alone.
   */
  async #interrupt(taskId: string): Promise<void> {
    const { clock } = this.#client
    const startedMs = clock.now()
    const body = { id_task: taskId, live_preview: false }
    try {
      while (clock.now() - startedMs < IMAGE_TIMEOUT_MS) {
        const signal = AbortSignal.timeout(INTERRUPT_TIMEOUT_MS)
        const asked = this.#client.json('/internal/progress', progress, { signal, body })
        const told = await whereKnown(asked, signal)
        if (told?.active !== false)
          return void (await this.#client.bytes('/sdapi/v1/interrupt', { signal, body: {} }))
        if (told.queued !== true) return
        await sleep(clock, POLL_MS, NEVER)
      }
    } catch {
      // Nobody waits for the image any more, and the next job tells what is wrong with the server.
    }
  }
}

/**
 * A prompt that stays one. The web UI works as often at each step as there are prompts joined by AND, and the price of an image knows
 * nothing of that. To its models both spellings are one word.
 */
function onePrompt(prompt: string): string {
  return prompt.replaceAll(/\bAND\b/g, 'and')
}
