import type { ErrorCode } from '@daisi/protocol'
import type { Operation, Operations } from './operation.ts'

/** What a request for work can be answered. */
const WORK: readonly ErrorCode[] = [
  'unsupported_parameter',
  'context_length_exceeded',
  'insufficient_credits',
  'model_not_allowed',
  'session_closed',
  'no_host_available',
  'all_hosts_busy',
  'model_loading',
  'host_failed',
  'host_lost',
  'host_timeout',
]
const ONCE: readonly ErrorCode[] = [
  'request_in_progress',
  'request_already_processed',
  'idempotency_key_reused',
]
const USER = { role: 'user', content: 'Name three rivers of Europe.' }
const USAGE = {
  prompt_tokens: 14,
  completion_tokens: 9,
  total_tokens: 23,
  prompt_tokens_details: { cached_tokens: 0 },
}

/** Operations of `/v1`. */
export const consumerOperations: Operations = {
  'POST /v1/chat/completions': {
    id: 'createChatCompletion',
    tag: 'Inference',
    summary: 'Answer a conversation',
    description:
      "OpenAI's Chat Completions: tools, JSON schemas, log probabilities, several answers, streams. What no Host can honour is refused by name, never ignored.",
    headers: ['Idempotency-Key'],
    body: { schema: 'ChatRequest', example: { model: 'daisi-nano', messages: [USER], max_tokens: 64 } },
    answer: {
      schema: 'ChatCompletion',
      events: 'ChatCompletionChunk',
      example: {
        id: 'chatcmpl-0a1b2c3d',
        object: 'chat.completion',
        created: 1_790_000_000,
        model: 'daisi-nano',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: 'The Rhine, the Loire and the Vistula.', refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: USAGE,
      },
    },
    codes: [...WORK, ...ONCE],
  },
  'POST /v1/completions': {
    id: 'createCompletion',
    tag: 'Inference',
    summary: 'Go on after a text, or fill in its middle',
    description:
      "OpenAI's Completions. With `suffix` the model fills in what stands between `prompt` and it.",
    headers: ['Idempotency-Key'],
    body: {
      schema: 'CompletionRequest',
      example: { model: 'daisi-nano', prompt: 'const sum = (a, b) =>', max_tokens: 16 },
    },
    answer: { schema: 'Completion', events: 'Completion' },
    codes: [...WORK, ...ONCE],
  },
  'POST /v1/responses': {
    id: 'createResponse',
    tag: 'Inference',
    summary: 'Answer with the Responses API',
    description:
      "OpenAI's Responses, without storing anything: each request brings its whole conversation along.",
    headers: ['Idempotency-Key'],
    body: { schema: 'ResponsesRequest', example: { model: 'daisi-nano', input: USER.content, store: false } },
    answer: { schema: 'Anything', events: 'Anything' },
    codes: [...WORK, ...ONCE],
  },
  'GET /v1/responses/:path{.+}': notStored('getResponse', 'Read a stored answer'),
  'POST /v1/responses/:path{.+}': notStored('changeResponse', 'Cancel a stored answer'),
  'DELETE /v1/responses/:path{.+}': notStored('deleteResponse', 'Delete a stored answer'),
  'POST /v1/messages': {
    id: 'createMessage',
    tag: 'Inference',
    summary: 'Answer with the Messages API',
    description:
      "Anthropic's Messages: text, images, thinking and tools of type custom. Errors have Anthropic's shape, with our code.",
    headers: ['Idempotency-Key'],
    body: { schema: 'MessageRequest', example: { model: 'daisi-nano', max_tokens: 64, messages: [USER] } },
    answer: { schema: 'Anything', events: 'Anything' },
    codes: [...WORK, ...ONCE],
  },
  'POST /v1/messages/count_tokens': {
    id: 'countMessageTokens',
    tag: 'Inference',
    summary: 'Count the tokens of a prompt, without charge',
    body: { schema: 'CountTokensRequest', example: { model: 'daisi-nano', messages: [USER] } },
    answer: { schema: 'Anything', example: { input_tokens: 14 } },
    codes: WORK,
  },
  'POST /v1/embeddings': {
    id: 'createEmbeddings',
    tag: 'Inference',
    summary: 'Turn texts into vectors',
    headers: ['Idempotency-Key'],
    body: { schema: 'EmbeddingRequest', example: { model: 'daisi-embed', input: ['one text', 'another'] } },
    answer: { schema: 'EmbeddingList' },
    codes: [...WORK, ...ONCE],
  },
  'POST /v1/images/generations': {
    id: 'createImages',
    tag: 'Inference',
    summary: 'Make images of a description',
    headers: ['Idempotency-Key'],
    body: {
      schema: 'ImageRequest',
      example: { model: 'sdxl', prompt: 'a lighthouse at dusk', size: '512x512' },
    },
    answer: { schema: 'ImageList' },
    codes: [...WORK, ...ONCE],
  },
  'GET /v1/models': {
    id: 'listModels',
    tag: 'Models',
    summary: 'List the models that online Hosts serve',
    answer: { schema: 'ModelList' },
  },
  'GET /v1/models/:model{.+}': {
    id: 'getModel',
    tag: 'Models',
    summary: 'Read one model',
    description: 'By id or alias. Slashes of an id may be written as they are, or as `%2F`.',
    answer: { schema: 'Model' },
    codes: ['not_found'],
  },
  'POST /v1/quote': {
    id: 'createQuote',
    tag: 'Credits',
    summary: 'Ask what a request would cost, and who could serve it',
    description:
      'Nothing is generated, charged or kept on hold. The prompt is counted by a Host that can; otherwise its size is an estimate, and `credits.maximum` still the most that it can cost. What stands in the way is told in `refusal`.',
    body: {
      schema: 'QuoteRequest',
      example: {
        endpoint: 'chat.completions',
        request: { model: 'daisi-nano', messages: [USER], max_tokens: 64 },
        daisi: { network: 'public' },
      },
    },
    answer: {
      schema: 'Quote',
      example: {
        object: 'quote',
        endpoint: 'chat.completions',
        model: 'daisi-nano',
        credits: { minimum: 15, maximum: 78, held: 118 },
        prompt: { tokens: 14, exact: true },
        max_tokens: 64,
        free: false,
        servable: true,
        hosts: [
          {
            host: 'calm-heron-3f9a1c',
            network: 'public',
            own: false,
            state: 'loaded',
            context_length: 2_048,
            free_slots: 4,
            tokens_per_second: 41.5,
          },
        ],
        refusal: null,
      },
    },
    codes: ['unsupported_parameter', 'model_not_allowed', 'session_closed'],
  },
  'GET /v1/usage': {
    id: 'getUsage',
    tag: 'Credits',
    summary: 'Read what the Session, or all plain calls of the key, used',
    answer: { schema: 'Usage' },
  },
  'GET /v1/balance': {
    id: 'getBalance',
    tag: 'Credits',
    summary: 'Read what the account has',
    answer: { schema: 'Balance' },
  },
  'POST /v1/sessions': {
    id: 'createSession',
    tag: 'Sessions',
    summary: 'Open a Session',
    description: 'With mode `direct` the answer names a Host to connect to.',
    body: { schema: 'SessionRequest', example: { budget: 10_000, ttl_seconds: 3_600 } },
    answer: { status: 201, schema: 'Session' },
    codes: ['insufficient_credits', 'model_not_allowed', 'no_host_available'],
  },
  'GET /v1/sessions/:session': {
    id: 'getSession',
    tag: 'Sessions',
    summary: 'Read a Session',
    answer: { schema: 'Session' },
    codes: ['not_found'],
  },
  'DELETE /v1/sessions/:session': {
    id: 'closeSession',
    tag: 'Sessions',
    summary: 'Close a Session',
    description: 'It takes no new requests; running ones finish.',
    answer: { schema: 'Session' },
    codes: ['not_found'],
  },
  'POST /v1/sessions/:session/direct': {
    id: 'createDirectGrant',
    tag: 'Sessions',
    summary: 'Ask for a Host to connect to directly',
    body: { schema: 'DirectRequest' },
    answer: { status: 201, schema: 'DirectGrant' },
    codes: ['not_found', 'insufficient_credits', 'model_not_allowed', 'session_closed', 'no_host_available'],
  },
  'POST /v1/tokens': {
    id: 'createBrowserToken',
    tag: 'Sessions',
    summary: 'Make a token for a browser',
    description: 'It does no more than the Secret Key that makes it, and is shown once.',
    body: { schema: 'BrowserTokenRequest', example: { origins: ['https://app.example'], ttl_seconds: 900 } },
    answer: { status: 201, schema: 'BrowserToken' },
    codes: ['model_not_allowed'],
  },
}

function notStored(id: string, summary: string): Operation {
  const description = 'Answers are stored nowhere, so that there is none to be found.'
  return { id, tag: 'Inference', summary, description, answer: { status: 404, schema: 'Error' } }
}
