import type { ChatTurn, ToolDefinition } from '@daisi/protocol'
import type { CallSyntax } from '../output/call-syntax.ts'

/** For templates that know no system message: it comes before the first question. */
export function withSystemInUser(messages: readonly ChatTurn[]): ChatTurn[] {
  const turns: ChatTurn[] = []
  let instructions = ''
  for (const turn of messages) {
    if (turn.role === 'system') instructions += `${turn.content}\n\n`
    else if (turn.role === 'user' && instructions !== '') {
      turns.push({ ...turn, content: instructions + turn.content })
      instructions = ''
    } else turns.push(turn)
  }
  return instructions === '' ? turns : [...turns, { role: 'user', content: instructions.trimEnd() }]
}

/** For templates that know no tools: they, calls and results are text of the conversation. */
export function withCallsAsText(
  messages: readonly ChatTurn[],
  tools: readonly ToolDefinition[] | undefined,
  calls: CallSyntax,
): { readonly messages: ChatTurn[]; readonly tools: undefined } {
  const turns: ChatTurn[] = []
  let results: string[] = []
  // Results of calls that were made together come together.
  const tell = (): void => {
    if (results.length > 0) turns.push({ role: 'user', content: results.join('\n') })
    results = []
  }
  for (const { role, content, toolCalls = [] } of messages) {
    if (role !== 'tool') tell()
    const written = toolCalls.map(
      ({ name, arguments: text }) =>
        `${calls.open}\n{"name": "${name}", "${calls.argumentsKey}": ${text || '{}'}}\n${calls.close}`,
    )
    if (role === 'assistant') turns.push({ role, content: [content, ...written].filter(Boolean).join('\n') })
    else if (role !== 'tool') turns.push({ role, content })
    else results.push(`<tool_response>\n${content}\n</tool_response>`)
  }
  tell()
  if (tools === undefined) return { messages: turns, tools: undefined }
  const [first] = turns
  const instructions = describe(tools, calls)
  if (first?.role === 'system') turns[0] = { role: 'system', content: `${first.content}\n\n${instructions}` }
  else turns.unshift({ role: 'system', content: instructions })
  return { messages: turns, tools: undefined }
}

function describe(tools: readonly ToolDefinition[], { open, close, argumentsKey }: CallSyntax): string {
  const signatures = tools.map(({ name, description, parameters }) =>
    JSON.stringify({ name, description, parameters }),
  )
  return [
    '# Tools',
    '',
    'You may call these functions. Signatures:',
    '<tools>',
    ...signatures,
    '</tools>',
    'To call a function, answer with:',
    open,
    `{"name": <function-name>, "${argumentsKey}": <args-json-object>}`,
    close,
  ].join('\n')
}
