import type { Capability, ChatTurn, Sampling } from '@daisi/protocol'
import type { ChatJob, CompletionJob, EngineRefusal } from '../engine.ts'
import type { Dialect } from './dialect.ts'
import type { PromptSize } from './prompt-size.ts'
import type { TextModel } from './text-model.ts'

/** A parameter in the words of the API, whether it was asked for, and whether it is possible. */
type Question = readonly [name: string, isAsked: boolean, isPossible: boolean]
type Can = (name: Capability) => boolean

/** A refusal of what a chat asks for and the server cannot do, or is not known to; undefined if there is nothing. */
export function refuseChat(job: ChatJob, model: TextModel, dialect: Dialect): EngineRefusal | undefined {
  const { output, tools, toolChoice, messages } = job
  const can = canOf(model, dialect)
  const choice = dialect.toolChoice
  return refusal([
    ...common(job, can),
    ['grammar', output?.type === 'grammar', can('grammar')],
    ['response_format', output !== undefined && output.type !== 'grammar', can('json-schema')],
    ['tools', tools !== undefined || messages.some(isAboutTools), can('tools')],
    ['tool_choice', toolChoice !== undefined && toolChoice !== 'auto', choice !== 'auto'],
    ['strict tools', tools?.some(({ strict }) => strict === true) === true, dialect.fitsTools],
    // Servers differ in which of the two wins, and some never call then.
    ['response_format beside tools', output !== undefined && tools !== undefined, false],
    ['reasoning_effort', job.reasoningEffort !== undefined, can('reasoning-effort')],
    ['images', messages.some(({ images }) => images !== undefined), can('vision')],
  ])
}

/** The same of a completion. */
export function refuseCompletion(
  job: CompletionJob,
  model: TextModel,
  dialect: Dialect,
): EngineRefusal | undefined {
  const can = canOf(model, dialect)
  return refusal([
    ...common(job, can),
    ['suffix', job.suffix !== undefined, can('infill')],
    ['prompt of token ids', typeof job.prompt !== 'string', dialect.takesTokens],
  ])
}

/** A refusal of a prompt that a server would cut without a word; undefined if it may fit. */
export function refuseLong(
  size: PromptSize,
  { contextLength }: TextModel,
  { cutsPrompts }: Dialect,
): EngineRefusal | undefined {
  if (!cutsPrompts || size.least <= contextLength) return undefined
  const message = `the prompt does not fit into a context of ${contextLength} tokens; shorten it`
  return { code: 'context_length_exceeded', promptTokens: size.estimate, contextLength, message }
}

function common(
  { continuation, logprobs, countOnly, sampling }: ChatJob | CompletionJob,
  can: Can,
): Question[] {
  return [
    ['continuation', continuation.length > 0, false],
    ['logprobs', logprobs !== undefined, false],
    ['counting', countOnly === true, false],
    ...samplingQuestions(sampling, can),
  ]
}

function samplingQuestions(sampling: Sampling, can: Can): Question[] {
  return [
    ['top_k', sampling.topK !== undefined, can('top-k')],
    ['min_p', sampling.minP !== undefined, can('min-p')],
    ['repeat_penalty', sampling.repeatPenalty !== undefined, can('repeat-penalty')],
    ['frequency_penalty', sampling.frequencyPenalty !== undefined, can('penalties')],
    ['presence_penalty', sampling.presencePenalty !== undefined, can('penalties')],
    ['logit_bias', sampling.logitBias !== undefined, can('logit-bias')],
    ['seed', sampling.seed !== undefined, can('seed')],
  ]
}

function isAboutTools({ role, toolCalls }: ChatTurn): boolean {
  return role === 'tool' || toolCalls !== undefined
}

function canOf(model: TextModel, dialect: Dialect): Can {
  return (name) => dialect.capabilities.includes(name) || model.abilities.includes(name)
}

function refusal(questions: readonly Question[]): EngineRefusal | undefined {
  const found = questions.find(([, isAsked, isPossible]) => isAsked && !isPossible)
  if (found === undefined) return undefined
  return { code: 'unsupported_kind', message: `the server behind this model takes no ${found[0]}` }
}
