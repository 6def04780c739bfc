// node-llama-cpp alone, in a process of its own: the plain loop over one sequence, without a network around it.
import { getLlama, LlamaLogLevel } from 'node-llama-cpp'
import { ChatTemplate } from '../../host-agent/src/engine/llama/chat-template.ts'
import { helperOptions, say } from './child.ts'

export interface BareEngineOptions {
  readonly modelPath: string
  readonly contextLength: number
}

export interface BareQuestion {
  readonly prompt: string
  readonly maxTokens: number
}

export interface BareAnswer {
  readonly tokens: number
  /** From the first token to the last. */
  readonly generationMs: number
  readonly promptTokens: number
  /** False if the text begins or ends inside a character: the Host holds such tokens back, which blurs its times. */
  readonly whole: boolean
}

const { modelPath, contextLength } = helperOptions<BareEngineOptions>()
const llama = await getLlama({
  gpu: false,
  build: 'never',
  skipDownload: true,
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
  maxThreads: 1,
})
const model = await llama.loadModel({ modelPath })
const context = await model.createContext({ sequences: 1, contextSize: contextLength, threads: 1 })
const sequence = context.getSequence()
const template = new ChatTemplate(model)

process.on('message', (question: BareQuestion) => {
  void answer(question).then(say)
})
say({ ready: true })

async function answer({ prompt, maxTokens }: BareQuestion): Promise<BareAnswer> {
  const { tokens: promptTokens, stopTokens } = template.write({
    messages: [{ role: 'user', content: prompt }],
  })
  await sequence.clearHistory()
  let tokens = 0
  let firstAt = 0
  let lastAt = 0
  const edges: string[] = []
  for await (const token of sequence.evaluate([...promptTokens], { temperature: 0, yieldEogToken: true })) {
    if (model.isEogToken(token) || stopTokens.has(token)) break
    lastAt = performance.now()
    if (tokens === 0) firstAt = lastAt
    tokens++
    // Two tokens of 128: their text costs nothing that could be measured.
    if (tokens === 1 || tokens === maxTokens) edges.push(model.detokenize([token]))
    if (tokens >= maxTokens) break
  }
  const whole = edges.every((text) => text.trim() !== '' && !text.includes('\uFFFD'))
  return { tokens, generationMs: lastAt - firstAt, promptTokens: promptTokens.length, whole }
}
