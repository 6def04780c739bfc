import type { CompletionPayload } from '@daisi/protocol'
import type { LlamaModel, Token } from 'node-llama-cpp'
import type { Prompt } from './prompt.ts'

/** A text to go on with, as it is; with a suffix between the tokens that ask for what is in the middle. */
export function completionPrompt(
  model: LlamaModel,
  { prompt, suffix }: Pick<CompletionPayload, 'prompt' | 'suffix'>,
): Prompt | undefined {
  const { bos, shouldPrependBosToken, infill } = model.tokens
  const before = shouldPrependBosToken && bos !== null ? [bos] : []
  const text = typeof prompt === 'string' ? model.tokenize(prompt) : (prompt as Token[])
  const ends = [infill.prefix, infill.suffix, infill.middle].filter((token) => token !== null)
  const rest = { stopTokens: new Set(ends), stopTexts: [], opensThought: false }
  if (suffix === undefined) {
    // Ids say everything themselves.
    const tokens = typeof prompt === 'string' ? [...before, ...text] : text
    return { tokens, ...rest }
  }
  if (infill.prefix === null || infill.suffix === null || infill.middle === null) return undefined
  const tokens = [...before, infill.prefix, ...text, infill.suffix, ...model.tokenize(suffix), infill.middle]
  return { tokens, ...rest }
}
