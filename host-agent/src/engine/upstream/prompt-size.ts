import type { ChatTurn } from '@daisi/protocol'
import type { ChatJob } from '../engine.ts'

/** Tokens that something takes beside its own text: usually, and at most. */
interface Allowance {
  readonly usual: number
  readonly most: number
}

/** What chat templates add around a whole conversation, */
const CONVERSATION: Allowance = { usual: 32, most: 64 }
/** around each turn, call and tool, */
const EACH: Allowance = { usual: 8, most: 16 }
/** and to tell the model that it has tools. */
const TOOLS: Allowance = { usual: 128, most: 512 }
/** What a model makes of an image, */
const IMAGE: Allowance = { usual: 1_024, most: 4_096 }
/** and what a tokenizer adds around a text that has no template. */
const TEXT: Allowance = { usual: 2, most: 8 }
/** Templates indent the JSON of tools. */
const INDENTED = 2
/** Bytes of a token, in text that takes many tokens. */
const FEW_BYTES_PER_TOKEN = 2
/** Bytes of a token beyond which no text gets on average. */
const MANY_BYTES_PER_TOKEN = 8
const BYTES_PER_ID = 4

/** Tokens of a prompt, before its server has counted them. An Orc measures the same: a job that it gives out is not refused for it. */
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

/** Measures a conversation. */
export function chatSize({ messages, tools = [] }: Pick<ChatJob, 'messages' | 'tools'>): PromptSize {
  const textBytes = sum(messages.map(turnBytes))
  const toolBytes = sum(tools.map((tool) => Buffer.byteLength(JSON.stringify(tool))))
  const calls = sum(messages.map(({ toolCalls = [] }) => toolCalls.length))
  const images = sum(messages.map((turn) => turn.images?.length ?? 0))
  const added = (of: keyof Allowance): number =>
    CONVERSATION[of] +
    (messages.length + calls + tools.length) * EACH[of] +
    images * IMAGE[of] +
    (tools.length > 0 ? TOOLS[of] : 0)
  return {
    estimate: Math.ceil((textBytes + toolBytes) / FEW_BYTES_PER_TOKEN) + added('usual'),
    bound: textBytes + toolBytes * INDENTED + added('most'),
    least: Math.floor(textBytes / MANY_BYTES_PER_TOKEN),
  }
}

/** Measures texts without a template. Ids of tokens are as many tokens. */
export function textSize(texts: readonly PromptText[]): PromptSize {
  const bytes = sum(texts.map((text) => (typeof text === 'string' ? Buffer.byteLength(text) : 0)))
  const ids = sum(texts.map((text) => (typeof text === 'string' ? 0 : text.length)))
  return {
    estimate: Math.ceil(bytes / FEW_BYTES_PER_TOKEN) + ids + texts.length * TEXT.usual,
    bound: bytes + ids + texts.length * TEXT.most,
    least: Math.floor(bytes / MANY_BYTES_PER_TOKEN) + ids,
  }
}

/** How much of the tokens of several texts one of them has, in no unit. Even an empty one has some. */
export function weightOf(text: PromptText): number {
  return 1 + (typeof text === 'string' ? Buffer.byteLength(text) : text.length * BYTES_PER_ID)
}

function turnBytes({ content, reasoning = '', toolCalls = [] }: ChatTurn): number {
  const calls = toolCalls.map((call) => Buffer.byteLength(call.name) + Buffer.byteLength(call.arguments))
  return Buffer.byteLength(content) + Buffer.byteLength(reasoning) + sum(calls)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
