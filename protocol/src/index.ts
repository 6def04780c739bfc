export * from './version.ts'
export * from './limits.ts'
export * from './ids.ts'
export * from './close-codes.ts'
export * from './host/connect.ts'
export * from './host/model.ts'
export * from './host/hello.ts'
export * from './host/welcome.ts'
export * from './host/status.ts'
export * from './host/job.ts'
export * from './host/chat-payload.ts'
export * from './host/command.ts'
export * from './host/up.ts'
export * from './host/down.ts'
export * from './host/codec.ts'
export * from './host/frame.ts'
export * from './host/session-token.ts'
export * from './host/receipt.ts'
export { chatRequest, unsupportedChatParameters } from './consumer/chat.schema.ts'
export { sessionRequest } from './consumer/sessions.schema.ts'
export * from './consumer/discovery.ts'
export type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatMessage,
  ChatRequest,
  ChatTextPart,
  CompletionUsage,
} from './consumer/chat.ts'
export type * from './consumer/error.ts'
export type * from './consumer/models.ts'
export type * from './consumer/sessions.ts'
export * from './manage/accounts.ts'
export * from './manage/hosts.ts'
export * from './manage/credits.ts'
export * from './manage/anomalies.ts'
