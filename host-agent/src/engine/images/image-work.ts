import { imageCharacterLimit, imageTokens, type JobUsage } from '@daisi/protocol'
import type { EngineJob, EngineRefusal } from '../engine.ts'
import { ServerError } from '../upstream/server-error.ts'
import type { ServerRun } from '../upstream/server-run.ts'
import type { ImageDriver, ImageWish } from './image-driver.ts'
import { readImageHeader } from './image-header.ts'
import { plainPrompt } from './image-prompt.ts'
import type { TurnQueue } from './turn-queue.ts'

/** Sides of images are multiples of this, in pixels: servers round others. */
const GRID = 8

type ImageJob = Extract<EngineJob, { kind: 'image' }>

/** What an image server does its work with. */
export interface ImageWorkshop {
  readonly driver: ImageDriver
  readonly serverName: string
  /** One image at a time, over all models of the server. */
  readonly turns: TurnQueue
}

/**
 * Some images, one after the other. Only an image of the size that was asked for is delivered and counted. An aborted job ends at
 * once; its turn ends when the server was told, so that nothing of it reaches the next one. Throws a `ServerError`.
 */
export async function imageWork(job: ImageJob, workshop: ImageWorkshop, run: ServerRun): Promise<void> {
  const { driver, turns } = workshop
  const refusal = refusalOf(job, driver.wishes)
  if (refusal !== undefined) return run.refuse(refusal)
  const tokens = imageTokens(job.width, job.height)
  const usage = (): JobUsage => {
    const { emittedTokens: generatedTokens } = run.results
    return { promptTokens: 0, cachedTokens: 0, generatedTokens }
  }
  run.signal.addEventListener('abort', () => run.abort(usage()), { once: true })
  for (let index = 0; index < job.count && !run.signal.aborted; index++) {
    const image = await turns.next(run.signal, () => {
      if (index === 0) run.startSoon(0)
      return driver.generate(orderOf(job, index, workshop.serverName), run.signal)
    })
    const text = image.toString('base64')
    check(image, job)
    if (text.length > imageCharacterLimit(tokens))
      throw new ServerError('malformed', 'the image server made a file that is larger than its pixels')
    run.start()
    await run.results.write(text, tokens, run.signal)
  }
  if (run.signal.aborted) run.abort(usage())
  else run.end('stop', usage())
}

function refusalOf(job: ImageJob, wishes: ReadonlySet<ImageWish>): EngineRefusal | undefined {
  if (job.width % GRID !== 0 || job.height % GRID !== 0)
    return { code: 'invalid_payload', message: `width and height must be multiples of ${GRID} pixels` }
  if (plainPrompt(job.prompt) === '')
    return { code: 'invalid_payload', message: 'the prompt describes no image' }
  const asked: readonly ImageWish[] = ['negativePrompt', 'steps', 'seed']
  const missing = asked.find((wish) => job[wish] !== undefined && !wishes.has(wish))
  if (missing === undefined) return undefined
  const names = { negativePrompt: 'negative_prompt', steps: 'steps', seed: 'seed' } as const
  return { code: 'unsupported_kind', message: `the server behind this model takes no ${names[missing]}` }
}

/** Of several images each has a seed of its own, or all would be the same. */
function orderOf(job: ImageJob, index: number, serverName: string): Parameters<ImageDriver['generate']>[0] {
  const { prompt, negativePrompt, width, height, steps, seed } = job
  return {
    serverName,
    prompt: plainPrompt(prompt),
    ...(negativePrompt !== undefined && { negativePrompt: plainPrompt(negativePrompt) }),
    width,
    height,
    ...(steps !== undefined && { steps }),
    ...(seed !== undefined && { seed: (seed + index) % SEED_RANGE }),
  }
}

/** Servers keep seeds in 32 bits. */
const SEED_RANGE = 4_294_967_295

function check(image: Buffer, { width, height }: ImageJob): void {
  const header = readImageHeader(image)
  if (header === undefined)
    throw new ServerError('malformed', 'the image server answered with what is no PNG, JPEG or WebP file')
  if (header.width !== width || header.height !== height) {
    const size = `${header.width}×${header.height} pixels instead of ${width}×${height}`
    throw new ServerError('malformed', `the image server made ${size}`)
  }
}
