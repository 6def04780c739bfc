/** How a model writes a call of a tool: JSON with a name and arguments, behind a mark. */
export interface CallSyntax {
  /** Comes before each call. Empty: an answer that is a JSON object is a call. */
  readonly open: string
  /** Comes after it; may be empty. */
  readonly close: string
  /** How the arguments are called in it. */
  readonly argumentsKey: 'arguments' | 'parameters'
}

/** What Hermes, Qwen, daisi-nano and many others are trained with. */
export const TAGGED_CALLS: CallSyntax = {
  open: '<tool_call>',
  close: '</tool_call>',
  argumentsKey: 'arguments',
}

/** What Llama 3 is trained with. */
export const BARE_CALLS: CallSyntax = { open: '', close: '', argumentsKey: 'parameters' }

/** Marks around what a model thinks. */
export const THINK_OPEN = '<think>'
export const THINK_CLOSE = '</think>'
