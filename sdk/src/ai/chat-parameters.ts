import type { LanguageModelV4CallOptions, SharedV4Warning } from '@ai-sdk/provider'
import type { ChatResponseFormat, ChatTool, ChatToolChoice } from '@daisi/protocol/consumer'
import type { ChatParameters } from '../chat.ts'
import { chatMessages } from './messages.ts'

/** What a call of the AI SDK asks of a model, and what of it cannot be had. */
export function chatParameters(
  model: string,
  call: LanguageModelV4CallOptions,
): { readonly request: ChatParameters; readonly warnings: SharedV4Warning[] } {
  const warnings: SharedV4Warning[] = []
  const tools: ChatTool[] = []
  for (const tool of call.tools ?? []) {
    if (tool.type === 'function') {
      const { name, description, inputSchema, strict } = tool
      const parameters = inputSchema as Record<string, unknown>
      tools.push({ type: 'function', function: { name, description, parameters, strict } })
    } else warnings.push({ type: 'unsupported', feature: `tool ${tool.id}` })
  }
  const { reasoning } = call
  const effort = reasoning === 'xhigh' || reasoning === 'max' ? 'high' : reasoning
  const request: ChatParameters = {
    model,
    messages: chatMessages(call.prompt),
    max_completion_tokens: call.maxOutputTokens,
    temperature: call.temperature,
    stop: call.stopSequences,
    top_p: call.topP,
    top_k: call.topK,
    presence_penalty: call.presencePenalty,
    frequency_penalty: call.frequencyPenalty,
    seed: call.seed,
    response_format: responseFormat(call),
    ...(effort !== undefined && effort !== 'provider-default' && { reasoning_effort: effort }),
    ...(tools.length > 0 && { tools, tool_choice: toolChoice(call) }),
  }
  return { request, warnings }
}

function responseFormat({
  responseFormat: format,
}: LanguageModelV4CallOptions): ChatResponseFormat | undefined {
  if (format?.type !== 'json') return undefined
  if (format.schema === undefined) return { type: 'json_object' }
  const { $schema: _, ...schema } = format.schema as Record<string, unknown>
  return { type: 'json_schema', json_schema: { name: format.name ?? 'answer', schema, strict: true } }
}

function toolChoice({ toolChoice: choice }: LanguageModelV4CallOptions): ChatToolChoice | undefined {
  if (choice?.type === 'tool') return { type: 'function', function: { name: choice.toolName } }
  return choice?.type
}
