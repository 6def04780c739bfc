import { type ImagePayload, type Run, encodeFrame, imageTokens } from '@daisi/protocol'
import { call } from './orc.ts'
import { type Scene, newScene } from './scene.ts'
import type { HostHabits } from './test-host.ts'

/** A part of a result. With `tokens` it is the last one, unless it says otherwise. */
export interface Part {
  readonly text: string
  readonly tokens?: number
  readonly last?: boolean
}

export const SERVES_IMAGES: HostHabits = {
  offer: { kinds: ['image'], capabilities: ['seed', 'negative-prompt', 'steps'] },
}

/** A PNG in base64, as far as anybody here looks. */
export function image(name: string, length = 64): string {
  return btoa(`\u0089PNG\r\n\u001A\n${name.padEnd(length)}`)
}

export function newImageScene(): Promise<Scene> {
  return newScene(SERVES_IMAGES)
}

export function generate(
  { key, model }: Pick<Scene, 'key' | 'model'>,
  body: Record<string, unknown> = {},
  options: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const request = { model, prompt: 'a lighthouse', size: '64x64', ...body }
  return call('POST', '/v1/images/generations', { token: key.key, body: request, ...options })
}

/** Sends frames of results. Numbers them from `first`. */
export function sendParts({ host }: Scene, { jobId }: Run, parts: readonly Part[], first = 0): void {
  for (const [index, { text, tokens, last = tokens !== undefined }] of parts.entries()) {
    const frame = {
      kind: 'result',
      jobId,
      sequence: first + index,
      tokenCount: tokens ?? 0,
      last,
      text,
    } as const
    host.sendRaw(encodeFrame(frame))
  }
}

/** Takes the next Job. */
export async function take({ host }: Scene): Promise<{ run: Run; payload: ImagePayload; tokens: number }> {
  const run = await host.receive('run')
  const payload = run.payload as ImagePayload
  host.accept(run, 0)
  return { run, payload, tokens: imageTokens(payload.width, payload.height) }
}

/** Sends parts of 60,000 characters as the window allows (rule F5): four at once, then three with each grant. */
export async function sendWithin(scene: Scene, run: Run, parts: readonly Part[]): Promise<void> {
  for (const [index, part] of parts.entries()) {
    if (index >= 4 && index % 3 === 1) await scene.host.receive('credit')
    sendParts(scene, run, [part], index)
  }
}
