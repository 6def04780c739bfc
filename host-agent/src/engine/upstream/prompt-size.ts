import type { ChatTurn } from '@daisi/protocol'
import type { ChatJob } from '../engine.ts'

/** What is added for the model's template: usually, and at most. Tokens for the whole prompt, and for each of its texts. */
const USUAL = { whole: 32, each: 8 } as const
const MOST = { whole: 64, each: 16 } as const
/** Tokens of an image: of the models that see, hardly one makes more of it. */
const IMAGE_TOKENS = 4_096
/** Bytes of a token, in text that takes many tokens. */
const FEW_BYTES_PER_TOKEN = 2
/** Bytes of a token beyond which no text gets on average. */
const MANY_BYTES_PER_TOKEN = 8
const BYTES_PER_ID = 4

/** Tokens of a prompt, before its server has counted them. */
export interface PromptSize {
  /** Hardly ever exceeded. This is what a job is accepted with. */
  readonly estimate: number
  /** Never exceeded: a token has at least one byte. A server that counts more is not believed. */
  readonly bound: number
  /** Hardly ever undercut. */
  readonly least: number
}

/** Text, or ids of tokens. */
export type PromptText = string | readonly number[]

/** Measures a prompt by the bytes of its texts, as an Orc does. Ids of tokens are as many tokens. */
export function promptSize(texts: readonly PromptText[], images = 0): PromptSize {
  const bytes = sum(texts.map((text) => (typeof text === 'string' ? Buffer.byteLength(text) : 0)))
  const known = sum(texts.map((text) => (typeof text === 'string' ? 0 : text.length))) + images * IMAGE_TOKENS
  return {
    estimate: Math.ceil(bytes / FEW_BYTES_PER_TOKEN) + known + USUAL.whole + USUAL.each * texts.length,
    bound: bytes + known + MOST.whole + MOST.each * texts.length,
    least: Math.floor(bytes / MANY_BYTES_PER_TOKEN),
  }
}

/** Measures a conversation, with what stands in its prompt beside the text of its turns. */
export function chatSize({ messages, tools = [] }: ChatJob): PromptSize {
  const images = sum(messages.map((turn) => turn.images?.length ?? 0))
  const texts = [...messages.map(turnText), ...tools.map((tool) => JSON.stringify(tool))]
  return promptSize(texts, images)
}

/** How much of the tokens of several texts one of them has, in no unit. Even an empty one has some. */
export function weightOf(text: PromptText): number {
  return 1 + (typeof text === 'string' ? Buffer.byteLength(text) : text.length * BYTES_PER_ID)
}

function turnText({ content, reasoning = '', toolCalls }: ChatTurn): string {
  return content + reasoning + (toolCalls === undefined ? '' : JSON.stringify(toolCalls))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
