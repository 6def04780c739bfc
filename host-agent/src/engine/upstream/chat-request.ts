import type { ChatJob } from '../engine.ts'
import type { Dialect } from './dialect.ts'
import type { PromptSize } from './prompt-size.ts'
import { samplingFields, tokenLimit } from './sampling-fields.ts'
import { serverMessages, serverTool } from './server-messages.ts'
import type { TextModel } from './text-model.ts'

/**
 * The body of `POST /v1/chat/completions` for a job that the server can do. A parameter that the job leaves out is the server's own
 * default.
 */
export function chatRequest(job: ChatJob, model: TextModel, dialect: Dialect, size: PromptSize): object {
  const { messages, sampling, output, reasoningEffort } = job
  return {
    model: model.serverName,
    messages: serverMessages(messages, dialect),
    stream: true,
    stream_options: { include_usage: true, ...dialect.streamOptions },
    ...samplingFields(sampling, dialect),
    ...tokenLimit(sampling.maxTokens, model.contextLength - size.estimate, dialect),
    ...(output !== undefined && dialect.output?.(output)),
    ...toolFields(job, dialect),
    ...(reasoningEffort !== undefined && {
      reasoning_effort: reasoningEffort === 'minimal' ? dialect.leastEffort : reasoningEffort,
    }),
  }
}

/** One call at most is also kept by whoever reads the answer: not every server knows `parallel_tool_calls`. */
function toolFields({ tools, toolChoice, parallelToolCalls }: ChatJob, dialect: Dialect): object {
  if (tools === undefined) return {}
  const parallel = parallelToolCalls === false && { parallel_tool_calls: false }
  if (typeof toolChoice !== 'object' || dialect.toolChoice === 'named') {
    const all = { tools: tools.map(serverTool), ...parallel }
    if (typeof toolChoice !== 'object')
      return { ...all, ...(toolChoice !== undefined && { tool_choice: toolChoice }) }
    return { ...all, tool_choice: { type: 'function', function: { name: toolChoice.name } } }
  }
  // To a server that can be told to call, but not what, only the one tool is offered.
  const named = tools.filter(({ name }) => name === toolChoice.name)
  return { tools: named.map(serverTool), tool_choice: 'required', ...parallel }
}
