import type { ChatMessage, ChatRequest } from '../consumer/chat.ts'
import { unservedChatParameters } from '../consumer/chat.schema.ts'
import { type RequestFault, unservedParameter } from '../request-fault.ts'

/** Images travel with the request: Hosts fetch nothing. */
export const DATA_URL = /^data:image\/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+=*$/

/** What is wrong with a request whose shape is right, or undefined. */
export function chatFault(request: ChatRequest): RequestFault | undefined {
  const { logprobs, top_logprobs: top } = request
  if (typeof top === 'number' && top > 0 && logprobs !== true)
    return invalid('top_logprobs', '`top_logprobs` needs `logprobs: true`. Set it too.')
  return (
    unservedParameter(request as unknown as Record<string, unknown>, unservedChatParameters) ??
    toolFault(request) ??
    messageFault(request.messages)
  )
}

function toolFault({ tools = [], tool_choice: choice }: ChatRequest): RequestFault | undefined {
  const names = tools.map((tool) => tool.function.name)
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index)
  if (twice >= 0)
    return invalid(`tools.${twice}.function.name`, 'Two tools have this name. Give each a name of its own.')
  if (typeof choice === 'object' && !names.includes(choice.function.name))
    return invalid('tool_choice', '`tool_choice` names a tool that `tools` does not have. Add it there.')
  if (choice === 'required' && names.length === 0)
    return invalid('tool_choice', '`tool_choice` asks for a call and there are no `tools`. Add some.')
  return undefined
}

/** Every result answers a call that came before it, once. */
function messageFault(messages: readonly ChatMessage[]): RequestFault | undefined {
  const open = new Set<string>()
  for (const [index, message] of messages.entries()) {
    if (message.role === 'assistant') for (const { id } of message.tool_calls ?? []) open.add(id)
    if (message.role === 'tool' && !open.delete(message.tool_call_id))
      return invalid(
        `messages.${index}.tool_call_id`,
        'No call before this result has this id, or it has a result already. Send the assistant message that made it first.',
      )
    if (message.role !== 'user' || typeof message.content === 'string') continue
    for (const [part, { type, ...content }] of message.content.entries()) {
      const at = `messages.${index}.content.${part}.image_url.url`
      if (type === 'image_url' && 'image_url' in content && !DATA_URL.test(content.image_url.url))
        return invalid(
          at,
          'Hosts fetch nothing: send the image itself, as `data:image/png;base64,…` (PNG, JPEG, WebP or GIF).',
        )
    }
  }
  return undefined
}

function invalid(param: string, message: string): RequestFault {
  return { code: 'invalid_request', param, message }
}
