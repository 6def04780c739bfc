import type { ChatTurn } from '@daisi/protocol'
import {
  type ChatHistoryItem,
  type ChatWrapper,
  type LlamaModel,
  type LlamaText,
  SpecialToken,
  type Token,
} from 'node-llama-cpp'

/** A conversation as the model reads it, and what ends the answer apart from the end-of-generation tokens. */
export interface Prompt {
  readonly tokens: readonly Token[]
  readonly stopTokens: ReadonlySet<Token>
  readonly stopTexts: readonly string[]
}

/**
 * The prompt in the model's own template: exactly these messages and no default system message. Text inside a message
 * that looks like a special token stays text.
 */
export function buildPrompt(wrapper: ChatWrapper, model: LlamaModel, messages: readonly ChatTurn[]): Prompt {
  const chatHistory: ChatHistoryItem[] = messages.map(toHistoryItem)
  const state = wrapper.generateContextState({
    chatHistory: [...chatHistory, { type: 'model', response: [] }],
  })
  const stopTokens = new Set<Token>()
  const stopTexts: string[] = []
  for (const trigger of state.stopGenerationTriggers) {
    const stop = resolveTrigger(trigger, model)
    if (typeof stop === 'number') stopTokens.add(stop)
    else if (stop !== undefined) stopTexts.push(stop)
  }
  return { tokens: state.contextText.tokenize(model.tokenizer), stopTokens, stopTexts }
}

function toHistoryItem({ role, content }: ChatTurn): ChatHistoryItem {
  switch (role) {
    case 'system':
      return { type: 'system', text: content }
    case 'user':
    case 'tool':
      return { type: 'user', text: content }
    case 'assistant':
      return { type: 'model', response: [content] }
  }
}

/** A trigger that begins with a special token is that token; any other is its text. */
function resolveTrigger(trigger: LlamaText, model: LlamaModel): Token | string | undefined {
  const [first] = trigger.tokenize(model.tokenizer)
  if (first === undefined) return undefined
  if (model.isSpecialToken(first) || model.isEogToken(first)) return first
  if (trigger.values.some((value) => value instanceof SpecialToken)) return undefined
  const text = trigger.toString().trim()
  return text === '' ? undefined : text
}
