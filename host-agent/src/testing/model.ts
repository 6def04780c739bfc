import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChatTurn } from '@daisi/protocol'

const folder = join(import.meta.dirname, '../../../models/daisi-nano')

/** The bundled model. */
export const MODEL_PATH = join(folder, 'daisi-nano.gguf')

interface Golden {
  readonly prompts: readonly { readonly right: boolean; readonly messages: readonly ChatTurn[] }[]
}

/** The conversations of `golden.json` that do not depend on a default system message. */
export function goldenConversations(): readonly (readonly ChatTurn[])[] {
  const golden = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8')) as Golden
  return golden.prompts
    .filter(({ right, messages }) => right && messages[0]?.content !== '(default of node-llama-cpp)')
    .map(({ messages }) => messages)
}
