import type { ParsedResponseItem, ParsedResponsesRequest } from '../consumer/responses.schema.ts'
import type { ChatPayload, ChatTurn, OutputFormat, ToolDefinition } from '../host/chat-payload.ts'
import { capability } from '../host/model.ts'
import { type ParameterNeed, samplingNeeds, toSampling } from '../openai/sampling-mapping.ts'
import { asksForLogprobs } from './response-fault.ts'

// A request of the Responses API as the work of a Host. What is wrong with one is found before, by `responseFault`.

/** What a Host must be able to do so that no parameter of this request is ignored (rule A9). */
export function responseNeeds(request: ParsedResponsesRequest): ParameterNeed[] {
  const needs = samplingNeeds(request)
  const items = typeof request.input === 'string' ? [] : request.input
  const images = items.findIndex((item) => imagesOf(item).length > 0)
  if (toolsOf(request).length > 0) needs.push({ parameter: 'tools', capability: capability.tools })
  else if (items.some(({ type }) => type === 'function_call_output'))
    needs.push({ parameter: 'input', capability: capability.tools })
  if (outputOf(request) !== undefined)
    needs.push({ parameter: 'text.format', capability: capability.jsonSchema })
  if (asksForLogprobs(request)) needs.push({ parameter: 'include', capability: capability.logprobs })
  if (typeof request.reasoning?.effort === 'string')
    needs.push({ parameter: 'reasoning.effort', capability: capability.reasoningEffort })
  if (images >= 0) needs.push({ parameter: `input.${images}.content`, capability: capability.vision })
  return needs
}

/** What the Host is given. */
export function responsePayload(request: ParsedResponsesRequest, maxTokens: number): ChatPayload {
  const { tool_choice: choice, parallel_tool_calls: parallel, reasoning } = request
  const output = outputOf(request)
  const tools = toolsOf(request)
  return {
    messages: responseTurns(request),
    sampling: toSampling(request, maxTokens),
    ...(output && { output }),
    ...(asksForLogprobs(request) && { logprobs: request.top_logprobs ?? 0 }),
    ...(tools.length > 0 && {
      tools,
      ...(choice === 'required' && { toolChoice: choice }),
      ...(typeof choice === 'object' && choice !== null && { toolChoice: { name: choice.name } }),
      ...(typeof parallel === 'boolean' && { parallelToolCalls: parallel }),
    }),
    ...(typeof reasoning?.effort === 'string' && { reasoningEffort: reasoning.effort }),
  }
}

/** An assistant's turn while items are added to it. */
interface OpenTurn extends ChatTurn {
  role: 'assistant'
}

/** The items as turns: what the model thought, said and called up to the next result or message is one turn. */
function responseTurns({ input, instructions }: ParsedResponsesRequest): ChatTurn[] {
  const turns: ChatTurn[] = []
  if (typeof instructions === 'string' && instructions !== '')
    turns.push({ role: 'system', content: instructions })
  if (typeof input === 'string') return [...turns, { role: 'user', content: input }]
  let open: OpenTurn | undefined
  const openTurn = (): OpenTurn => {
    if (open === undefined) turns.push((open = { role: 'assistant', content: '' }))
    return open
  }
  for (const item of input) {
    switch (item.type) {
      case 'reasoning': {
        const text = thoughtsOf(item)
        // One that has spoken already is over.
        if (open !== undefined && (open.content !== '' || open.toolCalls !== undefined)) open = undefined
        if (text !== '') openTurn().reasoning = (open?.reasoning ?? '') + text
        break
      }
      case 'function_call': {
        const turn = openTurn()
        const { call_id: id, name, arguments: text } = item
        turn.toolCalls = [...(turn.toolCalls ?? []), { id, name, arguments: text }]
        break
      }
      case 'function_call_output':
        open = undefined
        turns.push({ role: 'tool', content: textOf(item.output), toolCallId: item.call_id })
        break
      case 'message':
        if (item.role === 'assistant') {
          if (open !== undefined && (open.content !== '' || open.toolCalls !== undefined)) open = undefined
          openTurn().content = textOf(item.content)
        } else {
          open = undefined
          turns.push(messageTurn(item.role, item))
        }
        break
      case 'unserved':
        break
    }
  }
  return turns
}

function messageTurn(
  role: 'user' | 'system' | 'developer',
  item: Extract<ParsedResponseItem, { type: 'message' }>,
): ChatTurn {
  const content = textOf(item.content)
  if (role !== 'user') return { role: 'system', content }
  const images = imagesOf(item)
  return { role, content, ...(images.length > 0 && { images }) }
}

function thoughtsOf({ content, summary }: Extract<ParsedResponseItem, { type: 'reasoning' }>): string {
  const texts = content ?? []
  return (texts.length > 0 ? texts : (summary ?? [])).map(({ text }) => text).join('\n')
}

type Part = Exclude<Extract<ParsedResponseItem, { type: 'message' }>['content'], string>[number]

function textOf(content: string | readonly Part[]): string {
  if (typeof content === 'string') return content
  return content.map(partText).join('')
}

function partText(part: Part): string {
  if (part.type === 'refusal') return part.refusal
  return part.type === 'input_text' || part.type === 'output_text' ? part.text : ''
}

function imagesOf(item: ParsedResponseItem): string[] {
  if (item.type !== 'message' || typeof item.content === 'string') return []
  return item.content.flatMap((part) => (part.type === 'input_image' ? (part.image_url ?? []) : []))
}

/** Tools that must not be called are left out. */
function toolsOf({ tools, tool_choice: choice }: ParsedResponsesRequest): ToolDefinition[] {
  if (choice === 'none') return []
  return (tools ?? []).flatMap((tool) => {
    if (tool.type === 'unserved') return []
    const { name, description, parameters, strict } = tool
    return {
      name,
      ...(typeof description === 'string' && { description }),
      ...(parameters && { parameters }),
      ...(typeof strict === 'boolean' && { strict }),
    }
  })
}

function outputOf({ text }: ParsedResponsesRequest): OutputFormat | undefined {
  const format = text?.format ?? undefined
  if (format === undefined || format.type === 'text') return undefined
  return format.type === 'json_schema' ? { type: 'json-schema', schema: format.schema } : { type: 'json' }
}
