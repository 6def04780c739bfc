import type { ChatMessage, ChatRequest } from '../consumer/chat.ts'
import type { ChatPayload, ChatTurn, OutputFormat, ToolDefinition } from '../host/chat-payload.ts'
import { capability } from '../host/model.ts'
import { type ParameterNeed, samplingNeeds, toSampling } from './sampling-mapping.ts'

// OpenAI's shape on the one side, the work of a Host on the other. The Orc and a Host's Direct Connections share this. What is wrong with a
// request is found before, by `chatFault`.

/** The most tokens that the caller asked for, or undefined if it named none. */
export function requestedTokens(request: ChatRequest): number | undefined {
  return request.max_completion_tokens ?? request.max_tokens ?? undefined
}

/** What a Host must be able to do so that no parameter of this request is ignored (rule A9). */
export function chatNeeds(request: ChatRequest): ParameterNeed[] {
  const needs = samplingNeeds(request)
  const images = request.messages.findIndex((message) => imagesOf(message).length > 0)
  if (usesTools(request)) needs.push({ parameter: 'tools', capability: capability.tools })
  else if (request.messages.some(({ role }) => role === 'tool'))
    needs.push({ parameter: 'messages', capability: capability.tools })
  if (outputOf(request) !== undefined)
    needs.push({ parameter: 'response_format', capability: capability.jsonSchema })
  if (request.logprobs === true) needs.push({ parameter: 'logprobs', capability: capability.logprobs })
  if (typeof request.reasoning_effort === 'string')
    needs.push({ parameter: 'reasoning_effort', capability: capability.reasoningEffort })
  if (images >= 0) needs.push({ parameter: `messages.${images}.content`, capability: capability.vision })
  return needs
}

/** What the Host is given for one of the answers. */
export function toChatPayload(request: ChatRequest, maxTokens: number, choice = 0): ChatPayload {
  const output = outputOf(request)
  return {
    messages: chatTurns(request),
    sampling: toSampling(request, maxTokens, choice),
    ...(output && { output }),
    ...(request.logprobs === true && { logprobs: request.top_logprobs ?? 0 }),
    ...(usesTools(request) && toolsOf(request)),
    ...(typeof request.reasoning_effort === 'string' && { reasoningEffort: request.reasoning_effort }),
  }
}

/** The conversation as plain turns: `developer` is OpenAI's later name of `system`, text parts become one text. */
function chatTurns({ messages }: ChatRequest): ChatTurn[] {
  return messages.map((message): ChatTurn => {
    const content = textOf(message)
    switch (message.role) {
      case 'system':
      case 'developer':
        return { role: 'system', content }
      case 'user': {
        const images = imagesOf(message)
        return { role: 'user', content, ...(images.length > 0 && { images }) }
      }
      case 'assistant': {
        const calls = (message.tool_calls ?? []).map(({ id, function: called }) => ({
          id,
          name: called.name,
          arguments: called.arguments,
        }))
        const { reasoning_content: reasoning } = message
        return {
          role: 'assistant',
          content,
          ...(calls.length > 0 && { toolCalls: calls }),
          ...(typeof reasoning === 'string' && reasoning !== '' && { reasoning }),
        }
      }
      case 'tool':
        return { role: 'tool', content, toolCallId: message.tool_call_id }
    }
  })
}

function textOf({ content }: ChatMessage): string {
  if (typeof content === 'string') return content
  return (content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('')
}

function imagesOf({ content }: ChatMessage): string[] {
  if (typeof content === 'string') return []
  return (content ?? []).flatMap((part) => (part.type === 'image_url' ? part.image_url.url : []))
}

/** Tools that must not be called are left out. */
function usesTools({ tools = [], tool_choice: choice }: ChatRequest): boolean {
  return tools.length > 0 && choice !== 'none'
}

function toolsOf(request: ChatRequest): Pick<ChatPayload, 'tools' | 'toolChoice' | 'parallelToolCalls'> {
  const { tools = [], tool_choice: choice, parallel_tool_calls: parallel } = request
  return {
    tools: tools.map(({ function: { name, description, parameters, strict } }): ToolDefinition => ({
      name,
      ...(description !== undefined && { description }),
      ...(parameters !== undefined && { parameters }),
      ...(typeof strict === 'boolean' && { strict }),
    })),
    ...(choice === 'required' && { toolChoice: choice }),
    ...(typeof choice === 'object' && { toolChoice: { name: choice.function.name } }),
    ...(typeof parallel === 'boolean' && { parallelToolCalls: parallel }),
  }
}

/** Any JSON object where a schema was announced and none is given. */
function outputOf({ response_format: format }: ChatRequest): OutputFormat | undefined {
  if (format === undefined || format.type === 'text') return undefined
  const schema = format.type === 'json_schema' ? format.json_schema.schema : undefined
  return schema === undefined ? { type: 'json' } : { type: 'json-schema', schema }
}
