import { type ChatTurn, imageTokens, type OutputFormat } from '@daisi/protocol'
import type { EngineWork } from '../engine/engine.ts'
import type { ModelSource } from '../engine/model-source.ts'

/** Answers get the model's own sampling where they name none. */
export function withDefaults(work: EngineWork, defaults: ModelSource['defaultSampling']): EngineWork {
  return work.kind === 'chat' || work.kind === 'completion'
    ? { ...work, sampling: { ...defaults, ...work.sampling } }
    : work
}

/** Every text that the Consumer wrote. What comes as ids of tokens is no text yet. */
export function textsOf(work: EngineWork): readonly string[] {
  switch (work.kind) {
    case 'chat':
      return [
        ...work.messages.flatMap(turnTexts),
        ...formTexts(work.output),
        ...(work.tools ?? []).map((tool) => JSON.stringify(tool)),
      ]
    case 'completion':
      return [work.prompt, work.suffix].filter((text) => typeof text === 'string')
    case 'embedding':
      return work.input.filter((text) => typeof text === 'string')
    case 'ranking':
      return [work.query, ...work.documents]
    case 'image':
      return [work.prompt, work.negativePrompt ?? '']
  }
}

function turnTexts({ content, reasoning, toolCalls = [] }: ChatTurn): readonly string[] {
  return [
    content,
    ...(reasoning === undefined ? [] : [reasoning]),
    ...toolCalls.map((call) => call.arguments),
  ]
}

/** A form can put words into the model's mouth. */
function formTexts(output: OutputFormat | undefined): readonly string[] {
  if (output?.type === 'grammar') return [output.gbnf]
  return output?.type === 'json-schema' ? [JSON.stringify(output.schema)] : []
}

/** True if each result states what was read for it, and the prompt costs nothing (P7). */
export function isPaidByResult({ kind }: EngineWork): boolean {
  return kind === 'embedding' || kind === 'ranking'
}

/** The most tokens, or their equivalent, that work can still generate beside a prompt. */
export function mostGenerated(work: EngineWork, promptTokens: number, contextLength: number): number {
  switch (work.kind) {
    case 'chat':
    case 'completion': {
      if (work.countOnly === true) return 0
      const answer = Math.min(work.sampling.maxTokens, contextLength - promptTokens)
      return Math.max(0, answer - work.continuation.length)
    }
    case 'embedding':
    case 'ranking':
      return 0
    case 'image':
      return work.count * imageTokens(work.width, work.height)
  }
}
