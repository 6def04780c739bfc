import type {
  LanguageModelV4FilePart,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultOutput,
} from '@ai-sdk/provider'
import type { ChatImagePart, ChatMessage, ChatToolCall } from '@daisi/protocol/consumer'
import { invalidArgument } from '../error.ts'

/** A conversation of the AI SDK as an Orc takes it. */
export function chatMessages(prompt: LanguageModelV4Prompt): ChatMessage[] {
  return prompt.flatMap((message): ChatMessage[] => {
    switch (message.role) {
      case 'system':
        return [{ role: 'system', content: message.content }]
      case 'user':
        return [
          {
            role: 'user',
            content: message.content.map((part) =>
              part.type === 'text' ? { type: 'text', text: part.text } : image(part),
            ),
          },
        ]
      case 'assistant':
        return [assistantMessage(message.content)]
      case 'tool':
        return message.content.flatMap((part) =>
          part.type === 'tool-result'
            ? [{ role: 'tool' as const, tool_call_id: part.toolCallId, content: resultText(part.output) }]
            : [],
        )
    }
  })
}

function assistantMessage(
  parts: Extract<LanguageModelV4Prompt[number], { role: 'assistant' }>['content'],
): ChatMessage {
  let content = ''
  let reasoning = ''
  const calls: ChatToolCall[] = []
  for (const part of parts) {
    if (part.type === 'text') content += part.text
    else if (part.type === 'reasoning') reasoning += part.text
    else if (part.type === 'tool-call') {
      const called = { name: part.toolName, arguments: JSON.stringify(part.input) }
      calls.push({ id: part.toolCallId, type: 'function', function: called })
    }
  }
  return {
    role: 'assistant',
    content: content === '' && calls.length > 0 ? null : content,
    ...(reasoning && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

function image({ data, mediaType }: LanguageModelV4FilePart): ChatImagePart {
  if (!/^image(\/|$)/.test(mediaType) || data.type !== 'data')
    throw invalidArgument('prompt', `Files of type ${mediaType} cannot be sent: only images, as data.`)
  const base64 = typeof data.data === 'string' ? data.data : toBase64(data.data)
  // Who reads it looks at its first bytes.
  const type = /^image(\/\*)?$/.test(mediaType) ? 'image/png' : mediaType
  return { type: 'image_url', image_url: { url: `data:${type};base64,${base64}` } }
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

function resultText(output: LanguageModelV4ToolResultOutput): string {
  switch (output.type) {
    case 'text':
    case 'error-text':
      return output.value
    case 'json':
    case 'error-json':
      return JSON.stringify(output.value)
    case 'execution-denied':
      return output.reason ?? 'Error: this was not allowed.'
    case 'content':
      return output.value.map((part) => (part.type === 'text' ? part.text : '')).join('')
  }
}
