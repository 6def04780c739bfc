/** What is added for the model's template: usually, and at most. Tokens for the whole prompt, and for each of its texts. */
const USUAL = { whole: 32, each: 8 } as const
const MOST = { whole: 64, each: 16 } as const
/** Bytes of a token, in text that takes many tokens. */
const FEW_BYTES_PER_TOKEN = 2
/** Bytes of a token beyond which no text gets on average. */
const MANY_BYTES_PER_TOKEN = 8

/** Tokens of a prompt, before its server has counted them. */
export interface PromptSize {
  /** Hardly ever exceeded. This is what a job is accepted with. */
  readonly estimate: number
  /** Never exceeded: a token has at least one byte. A server that counts more is not believed. */
  readonly bound: number
  /** Hardly ever undercut. */
  readonly least: number
}

/** Measures a prompt by the bytes of its texts, as an Orc does. */
export function promptSize(texts: readonly string[]): PromptSize {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  return {
    estimate: Math.ceil(bytes / FEW_BYTES_PER_TOKEN) + USUAL.whole + USUAL.each * texts.length,
    bound: bytes + MOST.whole + MOST.each * texts.length,
    least: Math.floor(bytes / MANY_BYTES_PER_TOKEN),
  }
}
