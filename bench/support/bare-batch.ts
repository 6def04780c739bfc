// node-llama-cpp's own batching, in a process of its own: one context, one plain loop for each of its sequences.
import { getLlama, type LlamaContextSequence, LlamaLogLevel } from 'node-llama-cpp'
import { ChatTemplate } from '../../host-agent/src/engine/llama/chat-template.ts'
import { helperOptions, say } from './child.ts'

export interface BareBatchOptions {
  readonly modelPath: string
  readonly sequences: number
  /** Of each sequence. */
  readonly contextLength: number
}

export interface BareBatchQuestion {
  /** As many as there are sequences. */
  readonly prompts: readonly string[]
  readonly maxTokens: number
}

export interface BareBatchAnswer {
  /** Of all answers, after the first one of them all. */
  readonly tokens: number
  /** From the first token of all answers to the last. */
  readonly ms: number
}

const { modelPath, sequences, contextLength } = helperOptions<BareBatchOptions>()
const llama = await getLlama({
  gpu: false,
  build: 'never',
  skipDownload: true,
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
  maxThreads: 1,
})
const model = await llama.loadModel({ modelPath })
const context = await model.createContext({ sequences, contextSize: contextLength, threads: 1 })
const pool = Array.from({ length: sequences }, () => context.getSequence())
const template = new ChatTemplate(model)

process.on('message', (question: BareBatchQuestion) => {
  void answerAll(question).then(say)
})
say({ ready: true })

async function answerAll({ prompts, maxTokens }: BareBatchQuestion): Promise<BareBatchAnswer> {
  const answers = await Promise.all(
    prompts.map((prompt, index) => {
      const sequence = pool[index]
      if (sequence === undefined) throw new Error('more prompts than sequences')
      return answer(sequence, prompt, maxTokens)
    }),
  )
  const firstAt = Math.min(...answers.map((one) => one.firstAt))
  const lastAt = Math.max(...answers.map((one) => one.lastAt))
  return { tokens: answers.reduce((sum, { tokens }) => sum + tokens, 0) - 1, ms: lastAt - firstAt }
}

/** Goes on from what the sequence holds of this prompt already, as the Host does. */
async function answer(
  sequence: LlamaContextSequence,
  prompt: string,
  maxTokens: number,
): Promise<{ tokens: number; firstAt: number; lastAt: number }> {
  const { tokens: promptTokens, stopTokens } = template.write({
    messages: [{ role: 'user', content: prompt }],
  })
  await sequence.adaptStateToTokens(promptTokens.slice(0, -1), false)
  const rest = promptTokens.slice(sequence.nextTokenIndex)
  let tokens = 0
  let firstAt = 0
  let lastAt = 0
  for await (const token of sequence.evaluate(rest, { temperature: 0, yieldEogToken: true })) {
    if (model.isEogToken(token) || stopTokens.has(token)) break
    lastAt = performance.now()
    if (tokens === 0) firstAt = lastAt
    tokens++
    if (tokens >= maxTokens) break
  }
  return { tokens, firstAt, lastAt }
}
