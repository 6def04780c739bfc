import type { LlamaModel, Token } from 'node-llama-cpp'
import { THINK_CLOSE, THINK_OPEN } from '../output/call-syntax.ts'
import type { ChatTemplate } from './chat-template.ts'

/** Text of tokens as answers show it, and of those control tokens that are marks of calls and thoughts: these have no text otherwise. */
export function markDetokenizer(
  model: LlamaModel,
  { calls }: ChatTemplate,
): (ids: readonly number[]) => string {
  const marks = new Map<number, string>()
  for (const mark of [calls.open, calls.close, THINK_OPEN, THINK_CLOSE]) {
    const [token, ...more] = mark === '' ? [] : model.tokenize(mark, true)
    if (token !== undefined && more.length === 0 && model.detokenize([token]) === '') marks.set(token, mark)
  }
  if (marks.size === 0) return (ids) => model.detokenize(ids as Token[])
  return (ids) => {
    let text = ''
    let plain: Token[] = []
    for (const id of ids) {
      const mark = marks.get(id)
      if (mark === undefined) {
        plain.push(id as Token)
        continue
      }
      text += model.detokenize(plain) + mark
      plain = []
    }
    return text + model.detokenize(plain)
  }
}
