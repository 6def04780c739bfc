/** What a mock Host is to answer; it travels as the prompt. */
export interface MockAnswer {
  readonly tokens: number
  readonly tokensPerFrame: number
  /** Absent: as fast as the window allows. */
  readonly tokensPerSecond?: number
  /** Ends the answer after this time, whatever `tokens` says. */
  readonly seconds?: number
}

/** Name of the model that mock Hosts serve. */
export const MOCK_MODEL = 'mock'

/** Body of a streamed chat completion that a mock Host answers like this. */
export function mockRequest(answer: MockAnswer): string {
  return chatRequest(MOCK_MODEL, JSON.stringify(answer), answer.tokens)
}

/** Body of a streamed, greedy chat completion. */
export function chatRequest(model: string, prompt: string, maxTokens: number): string {
  return JSON.stringify({
    model,
    messages: [{ role: 'user', content: prompt }],
    max_tokens: maxTokens,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
  })
}
