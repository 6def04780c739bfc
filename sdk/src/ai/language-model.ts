import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamResult,
} from '@ai-sdk/provider'
import type { ChatAnswer } from '@daisi/protocol/consumer'
import type { Daisi } from '../daisi.ts'
import type { RequestOptions } from '../options.ts'
import { finishOf, usageOf } from './answer-facts.ts'
import { requestOptions } from './call-options.ts'
import { chatParameters } from './chat-parameters.ts'
import { streamParts } from './stream-parts.ts'

/** A model that answers conversations. */
export class DaisiLanguageModel implements LanguageModelV4 {
  readonly specificationVersion = 'v4'
  readonly provider = 'daisi'
  readonly modelId: string
  /** Hosts fetch nothing: files are sent as they are. */
  readonly supportedUrls = {}
  readonly #client: Daisi
  readonly #options: RequestOptions

  constructor(client: Daisi, modelId: string, options: RequestOptions) {
    this.#client = client
    this.modelId = modelId
    this.#options = options
  }

  async doGenerate(call: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
    const { request, warnings } = chatParameters(this.modelId, call)
    const { id, created, model, choices, usage } = await this.#client.chat.create(
      request,
      requestOptions(this.#options, call),
    )
    const [choice] = choices
    return {
      content: choice === undefined ? [] : contentOf(choice.message),
      finishReason: finishOf(choice?.finish_reason),
      usage: usageOf(usage),
      response: { id, modelId: model, timestamp: new Date(created * 1_000) },
      warnings,
    }
  }

  async doStream(call: LanguageModelV4CallOptions): Promise<LanguageModelV4StreamResult> {
    const { request, warnings } = chatParameters(this.modelId, call)
    const stream = await this.#client.chat.stream(request, requestOptions(this.#options, call))
    return { stream: streamParts(stream, warnings) }
  }
}

function contentOf({
  content,
  reasoning_content: reasoning,
  tool_calls: calls = [],
}: ChatAnswer): LanguageModelV4Content[] {
  return [
    ...(reasoning ? [{ type: 'reasoning' as const, text: reasoning }] : []),
    ...(content ? [{ type: 'text' as const, text: content }] : []),
    ...calls.map(({ id, function: called }) => ({
      type: 'tool-call' as const,
      toolCallId: id,
      toolName: called.name,
      input: called.arguments,
    })),
  ]
}
