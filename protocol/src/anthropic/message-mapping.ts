import type {
  ChatPayload,
  ChatTurn,
  OutputFormat,
  ReasoningEffort,
  ToolDefinition,
} from '../host/chat-payload.ts'
import { capability } from '../host/model.ts'
import { type ParameterNeed, samplingNeeds, toSampling } from '../openai/sampling-mapping.ts'
import type { MessageBlock, MessageImage, MessagePrompt, MessageRequest } from './message-request.ts'

// A request of Anthropic's Messages API as the work of a Host. What is wrong with one is found before, by `messageFault`.

/** Tokens that a model may think, up to which the effort is low, and medium. */
const LOW_BUDGET = 4_096
const MEDIUM_BUDGET = 16_384

/** What a Host must be able to do so that nothing of this request is ignored (rule A9). */
export function messageNeeds(request: MessagePrompt & Partial<MessageRequest>): ParameterNeed[] {
  const needs = samplingNeeds({ top_k: request.top_k })
  const { messages } = request
  const images = messages.findIndex((message) => imagesOf(message).length > 0)
  const hasResults = messages.some(({ content }) =>
    blocksOf(content).some(({ type }) => type === 'tool_result'),
  )
  if (toolsOf(request).length > 0) needs.push({ parameter: 'tools', capability: capability.tools })
  else if (hasResults) needs.push({ parameter: 'messages', capability: capability.tools })
  if (outputOf(request) !== undefined)
    needs.push({ parameter: 'output_config.format', capability: capability.jsonSchema })
  if (effortOf(request) !== undefined)
    needs.push({
      parameter: hasOwnEffort(request) ? 'output_config.effort' : 'thinking',
      capability: capability.reasoningEffort,
    })
  if (images >= 0) needs.push({ parameter: `messages.${images}.content`, capability: capability.vision })
  return needs
}

/** What the Host is given. */
export function messagePayload(
  request: MessagePrompt & Partial<MessageRequest>,
  maxTokens: number,
): ChatPayload {
  const { tool_choice: choice, temperature, top_p, top_k, stop_sequences: stop } = request
  const output = outputOf(request)
  const effort = effortOf(request)
  const tools = toolsOf(request)
  const isSerial =
    choice !== undefined && 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use
  return {
    messages: messageTurns(request),
    sampling: toSampling({ temperature, top_p, top_k, stop }, maxTokens),
    ...(output && { output }),
    ...(tools.length > 0 && {
      tools,
      ...(choice?.type === 'any' && { toolChoice: 'required' as const }),
      ...(choice?.type === 'tool' && { toolChoice: { name: choice.name } }),
      ...(isSerial === true && { parallelToolCalls: false }),
    }),
    ...(effort && { reasoningEffort: effort }),
  }
}

type Message = MessagePrompt['messages'][number]

function messageTurns({ system, messages }: MessagePrompt): ChatTurn[] {
  const instructions = typeof system === 'string' ? system : joined((system ?? []).map(({ text }) => text))
  return [
    ...(instructions === '' ? [] : [{ role: 'system' as const, content: instructions }]),
    ...messages.flatMap((message): ChatTurn[] => {
      if (message.role === 'system') return [{ role: 'system', content: textOf(message.content) }]
      return message.role === 'assistant' ? [assistantTurn(message)] : userTurns(message)
    }),
  ]
}

/** Results of calls are turns of their own; images in them are shown in the turn of the user that follows. */
function userTurns(message: Message): ChatTurn[] {
  const results = blocksOf(message.content).flatMap((block): ChatTurn[] => {
    if (block.type !== 'tool_result') return []
    const text = textOf(block.content ?? '')
    const content = block.is_error === true ? `Error: ${text}` : text
    return [{ role: 'tool', content, toolCallId: block.tool_use_id }]
  })
  const content = textOf(message.content)
  const images = imagesOf(message)
  if (content === '' && images.length === 0 && results.length > 0) return results
  return [...results, { role: 'user', content, ...(images.length > 0 && { images }) }]
}

function assistantTurn({ content }: Message): ChatTurn {
  const blocks = blocksOf(content)
  const reasoning = joined(blocks.flatMap((block) => (block.type === 'thinking' ? block.thinking : [])))
  const toolCalls = blocks.flatMap((block) =>
    block.type === 'tool_use'
      ? { id: block.id, name: block.name, arguments: JSON.stringify(block.input) }
      : [],
  )
  return {
    role: 'assistant',
    content: textOf(content),
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(reasoning !== '' && { reasoning }),
  }
}

function blocksOf(content: Message['content']): readonly MessageBlock[] {
  return typeof content === 'string' ? [] : content
}

function textOf(content: string | readonly { readonly type: string; readonly text?: unknown }[]): string {
  if (typeof content === 'string') return content
  return joined(
    content.flatMap(({ type, text }) => (type === 'text' && typeof text === 'string' ? text : [])),
  )
}

/** Blocks are texts of their own, unlike the pieces of one. */
function joined(texts: readonly string[]): string {
  return texts.join('\n')
}

function imagesOf({ content }: Message): string[] {
  return blocksOf(content).flatMap((block) => {
    if (block.type === 'image') return dataUrl(block)
    if (block.type !== 'tool_result' || !Array.isArray(block.content)) return []
    return block.content.flatMap((part) => (part.type === 'image' ? dataUrl(part) : []))
  })
}

function dataUrl({ source }: MessageImage): string[] {
  return source.type === 'base64' ? [`data:${source.media_type};base64,${source.data}`] : []
}

/** Tools that must not be called are left out. */
function toolsOf({ tools = [], tool_choice: choice }: MessagePrompt): ToolDefinition[] {
  if (choice?.type === 'none') return []
  return tools.flatMap((tool) => {
    if (tool.type === 'unserved') return []
    const { name, description, input_schema: parameters, strict } = tool
    return {
      name,
      ...(description !== undefined && { description }),
      parameters,
      ...(typeof strict === 'boolean' && { strict }),
    }
  })
}

function outputOf({
  output_config: config,
  output_format: earlier,
}: MessagePrompt): OutputFormat | undefined {
  const format = config?.format ?? earlier ?? undefined
  return format && { type: 'json-schema', schema: format.schema }
}

function hasOwnEffort({ thinking, output_config: config }: MessagePrompt): boolean {
  return thinking?.type !== 'disabled' && typeof config?.effort === 'string'
}

/** How much to think: not at all, as was said, or as the budget allows. Undefined: as the model does by itself. */
function effortOf({ thinking, output_config: config }: MessagePrompt): ReasoningEffort | undefined {
  if (thinking?.type === 'disabled') return 'none'
  const { effort } = config ?? {}
  if (effort === 'low' || effort === 'medium' || effort === 'high') return effort
  if (thinking?.type !== 'enabled') return undefined
  const { budget_tokens: budget } = thinking
  if (budget <= LOW_BUDGET) return 'low'
  return budget <= MEDIUM_BUDGET ? 'medium' : 'high'
}
