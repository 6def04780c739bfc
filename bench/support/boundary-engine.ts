// The Host's engine without the rest of it, in a process of its own: the model in another process, as the agent has it, or
// in this one.
import { type EngineEvent, type EngineJob } from '../../host-agent/src/engine/engine.ts'
import { EventQueue } from '../../host-agent/src/engine/event-queue.ts'
import { LlamaEngine } from '../../host-agent/src/engine/llama/llama-engine.ts'
import { ServedModel } from '../../host-agent/src/engine/llama/served-model.ts'
import { createLogger } from '../../host-agent/src/log.ts'
import { helperOptions, say } from './child.ts'

export interface BoundaryOptions {
  readonly modelPath: string
  readonly contextLength: number
  /** True: behind the boundary of a process. */
  readonly apart: boolean
}

export interface BoundaryQuestion {
  readonly prompt: string
  readonly maxTokens: number
}

export interface BoundaryAnswer {
  /** After those of the first event. */
  readonly tokens: number
  /** From the first event with tokens to the last. */
  readonly ms: number
}

const { modelPath, contextLength, apart } = helperOptions<BoundaryOptions>()
const load = { modelPath, contextLength, slots: 1, threads: 1, gpu: false }
const { signal } = new AbortController()
const start = apart ? await behindBoundary() : await here()

process.on('message', (question: BoundaryQuestion) => {
  void answer(question).then(say)
})
say({ ready: true })

async function behindBoundary(): Promise<(job: EngineJob) => AsyncIterable<EngineEvent>> {
  const engine = await LlamaEngine.open(load, createLogger('silent', 'none'))
  return (job) => engine.run(job, signal)
}

async function here(): Promise<(job: EngineJob) => AsyncIterable<EngineEvent>> {
  const served = await ServedModel.load(load)
  return (job) => {
    const events = new EventQueue<EngineEvent>()
    const { done } = served.run(job, signal, (event) => events.push(event))
    void done.then(() => events.end())
    return events
  }
}

async function answer({ prompt, maxTokens }: BoundaryQuestion): Promise<BoundaryAnswer> {
  const job: EngineJob = {
    kind: 'chat',
    messages: [{ role: 'user', content: prompt }],
    sampling: { temperature: 0, maxTokens, stop: [] },
    continuation: [],
    windowBytes: Number.MAX_SAFE_INTEGER,
  }
  let firstAt = 0
  let firstTokens = 0
  let lastAt = 0
  let tokens = 0
  for await (const event of start(job)) {
    if (event.type === 'failed' || event.type === 'refused') throw new Error(`the engine says ${event.type}`)
    if (event.type !== 'delta') continue
    lastAt = performance.now()
    if (tokens === 0) {
      firstAt = lastAt
      firstTokens = event.tokenIds.length
    }
    tokens += event.tokenIds.length
  }
  return { tokens: tokens - firstTokens, ms: lastAt - firstAt }
}
