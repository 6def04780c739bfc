import * as z from 'zod'
import { sleep } from '../../clock.ts'
import type { ServerClient } from '../upstream/server-client.ts'
import { ServerError } from '../upstream/server-error.ts'
import { comfyWorkflow, OUTPUT_NODE } from './comfy-workflow.ts'
import {
  type ImageDriver,
  type ImageModelFacts,
  type ImageOrder,
  type ImageWish,
  IMAGE_TIMEOUT_MS,
  MOST_IMAGE_BYTES,
} from './image-driver.ts'

/** Pause between two questions whether an image is ready. */
const POLL_MS = 400
const NEVER = new AbortController().signal

/** Time for the server to be told that a job is over. */
const CLEAN_UP_TIMEOUT_MS = 5_000

const names = z.array(z.string().min(1))
/** Newer versions describe a choice as `["COMBO", {options}]`, older ones list it in the first place. */
const choice = z.union([
  z
    .tuple([names])
    .rest(z.unknown())
    .transform(([options]) => options),
  z.tuple([z.literal('COMBO'), z.looseObject({ options: names })]).transform(([, { options }]) => options),
])
const loader = z.looseObject({
  CheckpointLoaderSimple: z.looseObject({
    input: z.looseObject({ required: z.looseObject({ ckpt_name: choice }) }),
  }),
})
const queued = z.looseObject({ prompt_id: z.string().min(1).max(256) })
const savedImage = z.looseObject({ filename: z.string(), subfolder: z.string(), type: z.string() })
const entry = z.looseObject({
  outputs: z.record(z.string(), z.looseObject({ images: z.array(savedImage).optional() })),
  status: z.looseObject({ status_str: z.string().nullish() }).nullish(),
})
const history = z.record(z.string(), entry)
const queue = z.looseObject({ queue_running: z.array(z.tuple([z.unknown(), z.string()]).rest(z.unknown())) })

/** ComfyUI: a workflow goes into its queue, and its history tells when the image is there. */
export class ComfyImages implements ImageDriver {
  readonly name = 'comfyui'
  readonly wishes: ReadonlySet<ImageWish> = new Set(['negativePrompt', 'steps', 'seed'])
  readonly #client: ServerClient

  constructor(client: ServerClient) {
    this.#client = client
  }

  async discover(signal: AbortSignal): Promise<readonly ImageModelFacts[]> {
    const { CheckpointLoaderSimple } = await this.#client.json(
      '/object_info/CheckpointLoaderSimple',
      loader,
      { signal },
    )
    return CheckpointLoaderSimple.input.required.ckpt_name.map((serverName) => ({ serverName }))
  }

  async generate(order: ImageOrder, signal: AbortSignal): Promise<Buffer> {
    const body = { prompt: comfyWorkflow(order) }
    // Whoever gives the job up meanwhile waits for its id: without it, nobody could take it out of the queue.
    const { prompt_id } = await this.#client.json('/prompt', queued, { signal: NEVER, body })
    let isDone = false
    try {
      signal.throwIfAborted()
      const { filename, subfolder, type } = await this.#finished(prompt_id, signal)
      isDone = true
      const place = new URLSearchParams({ filename, subfolder, type })
      return await this.#client.bytes(`/view?${place}`, { signal, mostBytes: MOST_IMAGE_BYTES })
    } finally {
      await this.#cleanUp(prompt_id, isDone)
    }
  }

  async #finished(promptId: string, signal: AbortSignal): Promise<z.infer<typeof savedImage>> {
    const { clock } = this.#client
    const startedMs = clock.now()
    while (true) {
      const found = await this.#client.json(`/history/${encodeURIComponent(promptId)}`, history, { signal })
      const done = found[promptId]
      if (done !== undefined) {
        const image = done.outputs[OUTPUT_NODE]?.images?.[0]
        if (image !== undefined && done.status?.status_str !== 'error') return image
        throw new ServerError(
          'malformed',
          'the image server could not carry out its workflow; look at its log',
        )
      }
      if (clock.now() - startedMs > IMAGE_TIMEOUT_MS)
        throw new ServerError('stalled', `no image came within ${IMAGE_TIMEOUT_MS} ms`)
      await sleep(clock, POLL_MS, signal)
      signal.throwIfAborted()
    }
  }

  /**
   * Leaves nothing of a job behind: not in the queue, where only this job is stopped and never one of the owner, and not in the
   * history, which has its prompt.
   */
  async #cleanUp(promptId: string, isDone: boolean): Promise<void> {
    const signal = AbortSignal.timeout(CLEAN_UP_TIMEOUT_MS)
    const tell = (path: string, body: object): Promise<unknown> => this.#client.bytes(path, { signal, body })
    try {
      if (!isDone) {
        await tell('/queue', { delete: [promptId] })
        const { queue_running } = await this.#client.json('/queue', queue, { signal })
        if (queue_running.some(([, id]) => id === promptId)) await tell('/interrupt', { prompt_id: promptId })
      }
      await tell('/history', { delete: [promptId] })
    } catch {
      // The next job tells what is wrong with the server.
    }
  }
}
