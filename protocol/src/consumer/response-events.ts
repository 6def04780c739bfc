import type {
  ModelResponse,
  ResponseFunctionCall,
  ResponseOutputItem,
  ResponseOutputText,
  ResponseTokenLogprob,
} from './responses.ts'

/** One event of a streamed answer. `sequence_number` rises by one from 0. */
export type ResponseEvent = { readonly sequence_number: number } & (
  | { readonly type: 'response.created' | 'response.in_progress'; readonly response: ModelResponse }
  /** The last event: how the answer ended. */
  | {
      readonly type: 'response.completed' | 'response.incomplete' | 'response.failed'
      readonly response: ModelResponse
    }
  | {
      readonly type: 'response.output_item.added' | 'response.output_item.done'
      readonly output_index: number
      readonly item: ResponseOutputItem
    }
  | (ContentPlace & {
      readonly type: 'response.content_part.added' | 'response.content_part.done'
      readonly part: ResponseOutputText | { readonly type: 'reasoning_text'; readonly text: string }
    })
  | (ContentPlace & {
      readonly type: 'response.output_text.delta'
      readonly delta: string
      readonly logprobs: ResponseTokenLogprob[]
    })
  | (ContentPlace & {
      readonly type: 'response.output_text.done'
      readonly text: string
      readonly logprobs: ResponseTokenLogprob[]
    })
  | (ContentPlace & { readonly type: 'response.reasoning_text.delta'; readonly delta: string })
  | (ContentPlace & { readonly type: 'response.reasoning_text.done'; readonly text: string })
  | (ItemPlace & { readonly type: 'response.function_call_arguments.delta'; readonly delta: string })
  | (ItemPlace & {
      readonly type: 'response.function_call_arguments.done'
      readonly arguments: ResponseFunctionCall['arguments']
    })
)

interface ItemPlace {
  readonly item_id: string
  readonly output_index: number
}

interface ContentPlace extends ItemPlace {
  readonly content_index: number
}
