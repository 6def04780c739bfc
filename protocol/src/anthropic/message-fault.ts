import { type RequestFault, unservedParameter } from '../request-fault.ts'
import { unservedType } from '../served-types.ts'
import {
  type MessageBlock,
  type MessageImage,
  type MessagePrompt,
  unservedMessageParameters,
} from './message-request.ts'

/** What is wrong with a request whose shape is right, or undefined. */
export function messageFault(request: MessagePrompt): RequestFault | undefined {
  return parameterFault(request) ?? toolFault(request) ?? conversationFault(request)
}

function parameterFault(request: MessagePrompt): RequestFault | undefined {
  const fault = unservedParameter(request, unservedMessageParameters)
  if (fault !== undefined) return fault
  const { thinking, output_config: config } = request
  if (!isHarmless(request['context_management'])) return unservedValue('context_management')
  if (thinking?.type === 'unserved')
    return unservedType(thinking, 'thinking.type', 'Send enabled, adaptive or disabled.')
  const effort = config?.effort ?? 'low'
  return ['low', 'medium', 'high'].includes(effort) ? undefined : unservedValue('output_config.effort')
}

/** True if nothing of the conversation is to be forgotten. */
function isHarmless(management: unknown): boolean {
  if (typeof management !== 'object' || management === null)
    return management === undefined || management === null
  const edits = 'edits' in management ? management.edits : []
  return (
    Array.isArray(edits) &&
    edits.every((edit: { type?: unknown; keep?: unknown } | null) => {
      return typeof edit?.type === 'string' && edit.type.startsWith('clear_thinking_') && edit.keep === 'all'
    })
  )
}

function toolFault({ tools = [], tool_choice: choice }: MessagePrompt): RequestFault | undefined {
  const names: string[] = []
  for (const [index, tool] of tools.entries()) {
    if (tool.type === 'unserved')
      return unservedType(tool, `tools.${index}.type`, 'Only tools of type custom are. Leave it out.')
    if (names.includes(tool.name))
      return invalid(`tools.${index}.name`, 'Two tools have this name. Give each a name of its own.')
    names.push(tool.name)
  }
  if (choice?.type === 'any' && names.length === 0)
    return invalid('tool_choice', '`tool_choice` asks for a call and there are no `tools`. Add some.')
  if (choice?.type === 'tool' && !names.includes(choice.name))
    return invalid('tool_choice', '`tool_choice` names a tool that `tools` does not have. Add it there.')
  return undefined
}

/** Every result answers a call that came before it, once; each block stands where it may. */
function conversationFault({ messages }: MessagePrompt): RequestFault | undefined {
  const open = new Set<string>()
  for (const [index, { role, content }] of messages.entries()) {
    if (typeof content === 'string') continue
    for (const [number, block] of content.entries()) {
      const at = `messages.${index}.content.${number}`
      const fault = blockFault(block, role, at)
      if (fault !== undefined) return fault
      if (block.type === 'tool_use') open.add(block.id)
      if (block.type === 'tool_result' && !open.delete(block.tool_use_id))
        return invalid(
          `${at}.tool_use_id`,
          'No call before this result has this id, or it has a result already. Send the assistant message that made it first.',
        )
    }
  }
  return undefined
}

/** Whose messages a block may stand in. */
const ROLES: Readonly<Record<Exclude<MessageBlock['type'], 'unserved'>, readonly string[]>> = {
  text: ['user', 'assistant', 'system'],
  image: ['user'],
  tool_result: ['user'],
  tool_use: ['assistant'],
  thinking: ['assistant'],
}

function blockFault(block: MessageBlock, role: string, at: string): RequestFault | undefined {
  if (block.type === 'unserved') return unservedType(block, `${at}.type`, 'Send it as text.')
  if (!ROLES[block.type].includes(role))
    return invalid(`${at}.type`, `A block of type ${block.type} is for messages of ${ROLES[block.type][0]}.`)
  if (block.type === 'image') return imageFault(block, at)
  if (block.type !== 'tool_result' || !Array.isArray(block.content)) return undefined
  for (const [number, part] of block.content.entries()) {
    const where = `${at}.content.${number}`
    if (part.type === 'unserved') return unservedType(part, `${where}.type`, 'Send it as text.')
    const fault = part.type === 'image' ? imageFault(part, where) : undefined
    if (fault !== undefined) return fault
  }
  return undefined
}

function imageFault({ source }: MessageImage, at: string): RequestFault | undefined {
  if (source.type !== 'unserved') return undefined
  return unservedType(source, `${at}.source.type`, 'Hosts fetch nothing: send the image itself, in base64.')
}

function invalid(param: string, message: string): RequestFault {
  return { code: 'invalid_request', param, message }
}

function unservedValue(param: string): RequestFault {
  return {
    code: 'unsupported_parameter',
    param,
    message: `This value of \`${param}\` is not served. Leave it out.`,
  }
}
