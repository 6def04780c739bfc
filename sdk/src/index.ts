export { Daisi } from './daisi.ts'
export { cachedToken } from './cached-token.ts'
export { DaisiError } from './error.ts'
export type { DaisiErrorCode, DaisiErrorDetails, SdkErrorCode } from './error.ts'
export type { DaisiOptions, Fetch, RequestOptions } from './options.ts'
export type { Chat, ChatParameters } from './chat.ts'
export type { ChatStream } from './chat-stream.ts'
export type { Models } from './models.ts'
export type { Sessions } from './sessions.ts'
export type { Tokens } from './tokens.ts'
export type { UsageReport } from './usage.ts'
export type {
  Balance,
  BrowserToken,
  BrowserTokenRequest,
  ChatCompletion,
  ChatCompletionChunk,
  ChatMessage,
  ChatTextPart,
  CompletionUsage,
  DirectGrant,
  DirectRequest,
  ErrorCode,
  FinishReason,
  Model,
  Session,
  SessionRequest,
  Usage,
  UsageTotals,
} from '@daisi/protocol/consumer'
