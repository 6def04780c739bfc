import { setImmediate } from 'node:timers/promises'
import type { LlamaModel } from 'node-llama-cpp'
import type { ChatJob, CompletionJob, EngineRefusal } from '../engine.ts'

/** Characters that all tools of a job may have as JSON: templates write them out with their indentation. */
const MOST_TOOL_CHARACTERS = 128 * 1024
/** How deep schemas and arguments may be nested, for the same reason. */
const DEEPEST = 48
/** Prompts of fewer characters are read without asking. */
const HARMLESS_CHARACTERS = 64 * 1024
/** Text that is cut into tokens at once. Between two of these the other answers get their turn. */
const SLICE_CHARACTERS = 32 * 1024

/**
 * Refuses what would hold everybody up while it is read: rendering a template and cutting text into tokens stop the whole engine process, and neither can be
 * interrupted.
 */
export class PromptLimits {
  readonly #model: LlamaModel
  readonly #contextLength: number

  constructor(model: LlamaModel, contextLength: number) {
    this.#model = model
    this.#contextLength = contextLength
  }

  async refusalOf(job: ChatJob | CompletionJob): Promise<EngineRefusal | undefined> {
    if (job.kind === 'chat') {
      const { tools = [], messages } = job
      if (tools.length > 0 && JSON.stringify(tools).length > MOST_TOOL_CHARACTERS)
        return refused('tools', `the tools have more than ${MOST_TOOL_CHARACTERS} characters; send fewer`)
      if (tools.some(({ parameters }) => isDeeper(parameters, DEEPEST)))
        return refused('tools', `the schema of a tool is nested deeper than ${DEEPEST} levels; flatten it`)
      const calls = messages.flatMap(({ toolCalls = [] }) => toolCalls)
      if (calls.some((call) => deepestIn(call.arguments) > DEEPEST))
        return refused('messages', `arguments of a call are nested deeper than ${DEEPEST} levels`)
    }
    return this.#tooLong(textsOf(job))
  }

  /** Counts a long prompt piece by piece until it is known to be too long. */
  async #tooLong(texts: readonly string[]): Promise<EngineRefusal | undefined> {
    if (texts.reduce((sum, { length }) => sum + length, 0) <= HARMLESS_CHARACTERS) return undefined
    let tokens = 0
    for (const text of texts) {
      for (let start = 0; start < text.length; start += SLICE_CHARACTERS) {
        tokens += this.#model.tokenize(text.slice(start, start + SLICE_CHARACTERS)).length
        if (tokens > this.#contextLength) return tooLong(tokens, this.#contextLength)
        await setImmediate()
      }
    }
    return undefined
  }
}

function textsOf(job: ChatJob | CompletionJob): readonly string[] {
  if (job.kind === 'completion') return [job.prompt, job.suffix].filter((text) => typeof text === 'string')
  return job.messages.flatMap(({ content, reasoning, toolCalls = [] }) => [
    content,
    ...(reasoning === undefined ? [] : [reasoning]),
    ...toolCalls.map((call) => call.arguments),
  ])
}

/** Levels of a JSON text, brackets inside of strings counted too: more than there are, never fewer. */
function deepestIn(json: string): number {
  let depth = 0
  let deepest = 0
  for (const character of json) {
    if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth)
    else if (character === '}' || character === ']') depth = Math.max(0, depth - 1)
  }
  return deepest
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1))
}

function refused(field: 'tools' | 'messages', message: string): EngineRefusal {
  return { code: 'invalid_payload', field, message }
}

function tooLong(promptTokens: number, contextLength: number): EngineRefusal {
  const message = `the prompt has more than ${promptTokens - 1} tokens and the context of this model ${contextLength}; shorten the prompt`
  return { code: 'context_length_exceeded', promptTokens, contextLength, message }
}
