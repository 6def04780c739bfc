import { type ChatWrapper, type LlamaModel, resolveChatWrapper } from 'node-llama-cpp'
import { buildPrompt } from './prompt.ts'

/**
 * How a model wants its conversations written: by the template in its own file, where that can be rendered. The library's own
 * choice compares that template with all those that it knows, which takes a second of each start, to find one that
 * writes the same.
 */
export function chatTemplateOf(model: LlamaModel): ChatWrapper {
  const own = rendered(model)
  return own ?? resolveChatWrapper(model)
}

function rendered(model: LlamaModel): ChatWrapper | undefined {
  try {
    const wrapper = resolveChatWrapper(model, { type: 'jinjaTemplate' }) as ChatWrapper | null
    if (wrapper === null) return undefined
    const { tokens } = buildPrompt(wrapper, model, [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ])
    return tokens.length > 0 ? wrapper : undefined
  } catch {
    return undefined
  }
}
