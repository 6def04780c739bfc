import { imageTokens, type OutputFormat } from '@daisi/protocol'
import type { EngineWork } from '../engine/engine.ts'
import type { ModelSource } from '../engine/model-source.ts'

/** Chats get the model's own sampling where they name none. */
export function withDefaults(work: EngineWork, defaults: ModelSource['defaultSampling']): EngineWork {
  return work.kind === 'chat' ? { ...work, sampling: { ...defaults, ...work.sampling } } : work
}

/** Every text that the Consumer wrote. */
export function textsOf(work: EngineWork): readonly string[] {
  switch (work.kind) {
    case 'chat':
      return [...work.messages.map(({ content }) => content), ...formTexts(work.output)]
    case 'embedding':
      return work.input
    case 'ranking':
      return [work.query, ...work.documents]
    case 'image':
      return [work.prompt, work.negativePrompt ?? '']
  }
}

/** A form can put words into the model's mouth. */
function formTexts(output: OutputFormat | undefined): readonly string[] {
  if (output?.type === 'grammar') return [output.gbnf]
  return output?.type === 'json-schema' ? [JSON.stringify(output.schema)] : []
}

/** The most tokens, or their equivalent, that work can still generate beside a prompt. */
export function mostGenerated(work: EngineWork, promptTokens: number, contextLength: number): number {
  switch (work.kind) {
    case 'chat': {
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
