import type { ChatPayload, ChatTurn } from '@daisi/protocol'
import { utf8Length } from './price.ts'

/** How large a prompt is, as far as can be told without its tokenizer. */
export interface PromptSize {
  /** Bytes of its text in UTF-8. */
  readonly bytes: number
  /** The tokens it is expected to have at most. Credits are held for these; a Host that counts more says so. */
  readonly estimate: number
  /** The tokens it can have at most: every tokenizer in use makes at least one byte of each, and the template adds some. */
  readonly bound: number
}

/** Of a Job whose prompt costs nothing, such as one for images. */
export const NO_PROMPT: PromptSize = { bytes: 0, estimate: 0, bound: 0 }

/** Text has more bytes than this for each token, except for long numbers and noise. English has about four. */
const USUAL_BYTES_PER_TOKEN = 2

/** Tokens that something takes beside its own text: usually, and at most. */
interface Allowance {
  readonly usual: number
  readonly most: number
}

/** What chat templates add around a whole conversation, */
const CONVERSATION: Allowance = { usual: 32, most: 64 }
/** around each message and each call in it, */
const MESSAGE: Allowance = { usual: 8, most: 16 }
/** and to tell the model that it has tools. */
const TOOLS: Allowance = { usual: 128, most: 512 }
/** One image. */
const IMAGE: Allowance = { usual: 1_024, most: 4_096 }
/** What a tokenizer adds around a text that has no template. */
const TEXT: Allowance = { usual: 2, most: 8 }
/** Templates indent the JSON of tools. */
const INDENTED = 2

/** Measures a chat (rule P4). */
export function chatSize({ messages, tools = [] }: Pick<ChatPayload, 'messages' | 'tools'>): PromptSize {
  const textBytes = messages.reduce((sum, turn) => sum + turnBytes(turn), 0)
  const toolBytes = tools.reduce((sum, tool) => sum + utf8Length(JSON.stringify(tool)), 0)
  const calls = messages.reduce((sum, { toolCalls = [] }) => sum + toolCalls.length, 0)
  const images = messages.reduce((sum, turn) => sum + (turn.images?.length ?? 0), 0)
  const added = (of: keyof Allowance): number =>
    CONVERSATION[of] +
    (messages.length + calls) * MESSAGE[of] +
    images * IMAGE[of] +
    (tools.length > 0 ? TOOLS[of] + tools.length * MESSAGE[of] : 0)
  return {
    bytes: textBytes + toolBytes,
    estimate: Math.ceil((textBytes + toolBytes) / USUAL_BYTES_PER_TOKEN) + added('usual'),
    bound: textBytes + toolBytes * INDENTED + added('most'),
  }
}

/** Measures texts without a template; ids of tokens count one each. */
export function textSize(texts: readonly (string | readonly number[])[]): PromptSize {
  let bytes = 0
  let ids = 0
  for (const text of texts) {
    if (typeof text === 'string') bytes += utf8Length(text)
    else ids += text.length
  }
  return {
    bytes: bytes + ids,
    estimate: Math.ceil(bytes / USUAL_BYTES_PER_TOKEN) + ids + texts.length * TEXT.usual,
    bound: bytes + ids + texts.length * TEXT.most,
  }
}

function turnBytes({ content, reasoning = '', toolCalls = [] }: ChatTurn): number {
  const calls = toolCalls.reduce((sum, call) => sum + utf8Length(call.name) + utf8Length(call.arguments), 0)
  return utf8Length(content) + utf8Length(reasoning) + calls
}
