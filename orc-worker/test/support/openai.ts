import { balanceOf, call, settle } from './orc.ts'
import type { Scene } from './scene.ts'

/** Habits of a Host that does all that OpenAI's routes ask for. */
export const able = {
  offer: {
    kinds: ['chat' as const, 'completion' as const, 'embedding' as const],
    capabilities: ['seed', 'logprobs', 'infill'],
  },
}

/** Sends a request for the scene's model. */
export function post(
  scene: Scene,
  path: string,
  body: Record<string, unknown>,
  headers = {},
): Promise<Response> {
  return call('POST', path, { token: scene.key.key, body: { model: scene.model, ...body }, headers })
}

/** What a Consumer has spent, after everything is settled. */
export async function spent(scene: Scene): Promise<number> {
  await settle(scene.key.key)
  const { available, held } = await balanceOf(scene.consumer)
  return 10_000 - available - held
}
