import type { ChatTurn, ToolDefinition } from '@daisi/protocol'
import type { Dialect } from './dialect.ts'

/** A conversation in OpenAI's shape. */
export function serverMessages(turns: readonly ChatTurn[], dialect: Dialect): readonly object[] {
  return turns.map((turn) => serverMessage(turn, dialect))
}

function serverMessage(turn: ChatTurn, { reasoningField }: Dialect): object {
  const { role, content, toolCalls, toolCallId, reasoning, images } = turn
  return {
    role,
    content: images === undefined ? content : withImages(content, images),
    ...(toolCalls !== undefined && {
      tool_calls: toolCalls.map(({ id, name, arguments: text }) => ({
        id,
        type: 'function',
        function: { name, arguments: text },
      })),
    }),
    ...(toolCallId !== undefined && { tool_call_id: toolCallId }),
    // Where no field for it is known it is left out, as most templates do themselves.
    ...(reasoning !== undefined && reasoningField !== undefined && { [reasoningField]: reasoning }),
  }
}

function withImages(content: string, images: readonly string[]): readonly object[] {
  const text = content === '' ? [] : [{ type: 'text', text: content }]
  return [...images.map((url) => ({ type: 'image_url', image_url: { url } })), ...text]
}

/** A tool in OpenAI's shape. */
export function serverTool({ name, description, parameters, strict }: ToolDefinition): object {
  return {
    type: 'function',
    function: {
      name,
      ...(description !== undefined && { description }),
      parameters: parameters ?? { type: 'object', properties: {} },
      ...(strict === true && { strict }),
    },
  }
}
