import { onTestFinished } from 'vitest'
import { type Clock, monotonicClock } from '../../../clock.ts'
import type { Engine, EngineEvent, EngineJob } from '../../engine.ts'
import { silentLogger, spec } from '../../upstream/testing/server-setup.ts'
import type { TestServer } from '../../upstream/testing/test-server.ts'
import type { ServerSource } from '../../upstream/server-source.ts'
import { ImageServer } from '../image-server.ts'

const signal = new AbortController().signal

type ImageJob = Extract<EngineJob, { kind: 'image' }>

/** The models of an image server. */
export function imageSources(
  server: TestServer,
  kind: string,
  clock: Clock = monotonicClock,
): Promise<readonly ServerSource[]> {
  const parsed = spec(`${kind}=${server.url}`)
  if (parsed.type !== 'image') throw new Error('no image server')
  return new ImageServer(parsed, silentLogger, clock).discover(signal)
}

/** The engine of an image server's first model. */
export async function openImages(server: TestServer, kind: string, clock?: Clock): Promise<Engine> {
  const [source] = await imageSources(server, kind, clock)
  if (source === undefined) throw new Error('the server has no models')
  const engine = await source.open(() => {}, signal)
  onTestFinished(() => engine.close())
  return engine
}

/** One small image of a cat. */
export function imageJob(differences: Partial<ImageJob> = {}): ImageJob {
  return {
    kind: 'image',
    prompt: 'a cat',
    count: 1,
    width: 64,
    height: 64,
    windowBytes: 1024 * 1024,
    ...differences,
  }
}

/** The files that a job made, and the token equivalents of each. */
export function imagesOf(
  list: readonly EngineEvent[],
): { readonly bytes: Buffer; readonly tokens: number }[] {
  const images: { bytes: Buffer; tokens: number }[] = []
  let text = ''
  for (const event of list) {
    if (event.type !== 'result') continue
    text += event.text
    if (!event.last) continue
    images.push({ bytes: Buffer.from(text, 'base64'), tokens: event.tokenCount })
    text = ''
  }
  return images
}
