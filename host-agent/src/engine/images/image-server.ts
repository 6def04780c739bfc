import { capability, imageTokens, MAX_IMAGE_SIDE } from '@daisi/protocol'
import { type Clock, monotonicClock } from '../../clock.ts'
import type { Logger } from '../../log.ts'
import { offeredName } from '../upstream/model-name.ts'
import type { ModelServer } from '../upstream/model-server.ts'
import { ServerClient } from '../upstream/server-client.ts'
import { ServerHealth } from '../upstream/server-health.ts'
import { ServerSource } from '../upstream/server-source.ts'
import { type ImageServerSpec, isWanted } from '../upstream/server-spec.ts'
import { MOST_MODELS } from '../upstream/text-model.ts'
import { ComfyImages } from './comfy-images.ts'
import type { ImageDriver } from './image-driver.ts'
import { imageWork } from './image-work.ts'
import { OpenAiImages } from './openai-images.ts'
import { TurnQueue } from './turn-queue.ts'
import { WebUiImages } from './webui-images.ts'

/** Images have no context. In its place stands what the largest job may cost. */
const MOST_TOKENS = 10 * imageTokens(MAX_IMAGE_SIDE, MAX_IMAGE_SIDE)

/** A server with image models. It works on one image at a time. One that has others too is to be named with `only`. */
export class ImageServer implements ModelServer {
  readonly spec: ImageServerSpec
  readonly #driver: ImageDriver
  readonly #health: ServerHealth
  readonly #turns = new TurnQueue()
  readonly #logger: Logger
  readonly #clock: Clock

  constructor(spec: ImageServerSpec, logger: Logger, clock: Clock = monotonicClock) {
    this.spec = spec
    this.#logger = logger
    this.#clock = clock
    const driver = driverOf(spec, new ServerClient(spec.url, authorizationOf(spec.apiKey), clock))
    this.#driver = driver
    this.#health = new ServerHealth(async (signal) => {
      const models = await driver.discover(signal)
      return new Set(models.map(({ serverName }) => serverName))
    }, clock)
  }

  async discover(signal: AbortSignal): Promise<readonly ServerSource[]> {
    const models = await this.#driver.discover(signal)
    return models.slice(0, MOST_MODELS).flatMap(({ serverName }) => {
      const id = offeredName(serverName)
      return id !== undefined && isWanted(this.spec, serverName, id) ? [this.#source(id, serverName)] : []
    })
  }

  #source(id: string, serverName: string): ServerSource {
    const driver = this.#driver
    const workshop = { driver, serverName, turns: this.#turns }
    return new ServerSource({
      id,
      from: this.spec.url,
      serverName,
      info: {
        contextLength: MOST_TOKENS,
        sizeBytes: undefined,
        slots: this.spec.slots ?? 1,
        kinds: ['image'],
        capabilities: [...driver.wishes].map((wish) => capability[wish]),
      },
      health: this.#health,
      work: async (job, run) => {
        if (job.kind === 'image') await imageWork(job, workshop, run)
        else run.refuse({ code: 'unsupported_kind', message: 'this model makes images and nothing else' })
      },
      clock: this.#clock,
      logger: this.#logger,
    })
  }
}

function driverOf({ kind }: ImageServerSpec, client: ServerClient): ImageDriver {
  switch (kind) {
    case 'images':
      return new OpenAiImages(client)
    case 'a1111':
    case 'forge':
      return new WebUiImages(kind, client)
    case 'comfyui':
      return new ComfyImages(client)
  }
}

/** The web UI's own protection is a name and a password, joined by a colon; others take a key. */
function authorizationOf(apiKey: string | undefined): string | undefined {
  if (apiKey === undefined) return undefined
  return apiKey.includes(':') ? `Basic ${Buffer.from(apiKey).toString('base64')}` : `Bearer ${apiKey}`
}
