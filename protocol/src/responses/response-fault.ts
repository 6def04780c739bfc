import {
  type ParsedResponseItem,
  type ParsedResponsesRequest,
  unservedResponseParameters,
} from '../consumer/responses.schema.ts'
import { DATA_URL } from '../openai/chat-fault.ts'
import { type RequestFault, unservedParameter } from '../request-fault.ts'
import { unservedType } from '../served-types.ts'

/** What asks for probabilities of the text. */
const LOGPROBS = 'message.output_text.logprobs'
/** The second asks for what does not exist here: thoughts are never encrypted. */
const SERVED_INCLUDES: readonly string[] = [LOGPROBS, 'reasoning.encrypted_content']

/** What to do instead. */
const ADVICE: Readonly<Record<string, string>> = {
  store: 'Answers are stored nowhere. Send `store: false`, or leave it out.',
  previous_response_id:
    'Answers are stored nowhere. Leave `previous_response_id` out and send all items of the conversation in `input`.',
  conversation:
    'Conversations are stored nowhere. Leave `conversation` out and send all of its items in `input`.',
  background:
    'Answers are stored nowhere to be fetched later. Leave `background` out, or send `stream: true`.',
  prompt:
    'Prompt templates are stored nowhere. Leave `prompt` out and send its text in `instructions` and `input`.',
}

/** True if the request asks for probabilities. */
export function asksForLogprobs({ include }: ParsedResponsesRequest): boolean {
  return include?.includes(LOGPROBS) ?? false
}

/** What is wrong with a request whose shape is right, or undefined. */
export function responseFault(request: ParsedResponsesRequest): RequestFault | undefined {
  return parameterFault(request) ?? toolFault(request) ?? inputFault(request)
}

function parameterFault(request: ParsedResponsesRequest): RequestFault | undefined {
  const fault = unservedParameter(request, unservedResponseParameters)
  if (fault !== undefined) return { ...fault, message: ADVICE[fault.param] ?? fault.message }
  const include = request.include ?? []
  const unknown = include.findIndex((name) => !SERVED_INCLUDES.includes(name))
  if (unknown >= 0) return unservedValue(`include.${unknown}`)
  if ((request.top_logprobs ?? 0) > 0 && !asksForLogprobs(request))
    return invalid('top_logprobs', `\`top_logprobs\` needs \`include: ["${LOGPROBS}"]\`. Send it too.`)
  const verbosity = request.text?.['verbosity'] ?? 'medium'
  return verbosity === 'medium' ? undefined : unservedValue('text.verbosity')
}

function toolFault({ tools, tool_choice: choice }: ParsedResponsesRequest): RequestFault | undefined {
  const names: string[] = []
  for (const [index, tool] of (tools ?? []).entries()) {
    if (tool.type === 'unserved')
      return unservedType(tool, `tools.${index}.type`, 'Only tools of type function are. Leave it out.')
    if (names.includes(tool.name))
      return invalid(`tools.${index}.name`, 'Two tools have this name. Give each a name of its own.')
    names.push(tool.name)
  }
  if (choice === 'required' && names.length === 0)
    return invalid('tool_choice', '`tool_choice` asks for a call and there are no `tools`. Add some.')
  if (typeof choice !== 'object' || choice === null) return undefined
  if (choice.type === 'unserved')
    return unservedType(choice, 'tool_choice.type', 'Name a function, or send none, auto or required.')
  if (names.includes(choice.name)) return undefined
  return invalid('tool_choice', '`tool_choice` names a tool that `tools` does not have. Add it there.')
}

/** Every result answers a call that came before it, once; images travel with the request. */
function inputFault({ input }: ParsedResponsesRequest): RequestFault | undefined {
  if (typeof input === 'string') return undefined
  const open = new Set<string>()
  for (const [index, item] of input.entries()) {
    const at = `input.${index}`
    if (item.type === 'unserved')
      return unservedType(item, `${at}.type`, 'Send the items of the conversation themselves, all of them.')
    if (item.type === 'function_call') open.add(item.call_id)
    if (item.type === 'function_call_output' && !open.delete(item.call_id))
      return invalid(
        `${at}.call_id`,
        'No call before this result has this id, or it has a result already. Send its item function_call first.',
      )
    const fault = contentFault(item, at)
    if (fault !== undefined) return fault
  }
  return undefined
}

function contentFault(item: ParsedResponseItem, at: string): RequestFault | undefined {
  const name = item.type === 'message' ? 'content' : 'output'
  const parts =
    item.type === 'message' ? item.content : item.type === 'function_call_output' ? item.output : []
  if (typeof parts === 'string') return undefined
  for (const [index, part] of parts.entries()) {
    const where = `${at}.${name}.${index}`
    if (part.type === 'unserved') return unservedType(part, `${where}.type`, 'Send it as text.')
    if (part.type !== 'input_image') continue
    if (item.type !== 'message' || item.role !== 'user')
      return invalid(`${where}.type`, 'Images are for messages of user. Send it in one.')
    if (!DATA_URL.test(part.image_url ?? ''))
      return invalid(
        `${where}.image_url`,
        'Hosts fetch nothing: send the image itself, as `data:image/png;base64,…` (PNG, JPEG, WebP or GIF).',
      )
  }
  return undefined
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
