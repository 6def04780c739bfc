import { join } from 'node:path'
import type { BareAnswer } from './support/bare-engine.ts'
import { ChatClient } from './support/chat-client.ts'
import { type Helper, startHelper } from './support/child.ts'
import { startFrameCounter } from './support/frame-counter.ts'
import { chatRequest } from './support/mock-answer.ts'
import { type BenchOptions, withNetwork } from './support/network.ts'
import { cpuSeconds, descendants, rssMegabytes } from './support/proc.ts'
import { RANDOM_MODEL_NAME, randomModel } from './support/random-model.ts'
import { startRealHost } from './support/real-host.ts'
import { fixed, printNote, printTable, progress, verdict } from './support/report.ts'
import { median, quantile } from './support/stats.ts'

const TARGET_RATIO = 0.97
const CONTEXT = 1024
const MODEL_ID = 'random'
/** Prompts to look through for answers of full length. */
const CANDIDATES = 12

/** Tokens per second through the whole network against node-llama-cpp alone, in turns. */
export async function benchGeneration(options: BenchOptions): Promise<void> {
  const modelPath = await randomModel()
  const pairs = options.quick ? 2 : 7
  const maxTokens = options.quick ? 32 : 128
  await withNetwork(options, async (network, defer) => {
    progress('generation: loading both engines')
    const bare = await startHelper('bare-engine.ts', { modelPath, contextLength: CONTEXT })
    defer(bare.stop)
    const prompts = await fullLengthPrompts(bare, Math.min(pairs, 3), maxTokens)
    const counter = await startFrameCounter(network.url)
    defer(counter.stop)
    const host = await startRealHost({
      orcUrl: counter.url,
      modelPath,
      modelId: MODEL_ID,
      stateDir: join(network.folder, 'host'),
      enrolmentToken: await network.enrolmentToken(),
      slots: 1,
      contextLength: CONTEXT,
    })
    defer(host.stop)
    const client = new ChatClient(network.url, network.secretKey, 1)
    defer(() => client.close())
    const through = async (prompt: string): Promise<{ rate: number; tokens: number }> => {
      const answer = await client.chat(chatRequest(MODEL_ID, prompt, maxTokens))
      const tokens = answer.completionTokens
      return { rate: ((tokens - 1) / (answer.lastAt - answer.firstAt)) * 1000, tokens }
    }
    await through(prompts[0] ?? '')

    const rows: (string | number)[][] = []
    const ratios: number[] = []
    const others = [network.orcPid, host.pid]
    const cpuBefore = others.map(cpuSeconds)
    const messagesBefore = counter.counts().fromHost
    let relayed = 0
    for (let pair = 0; pair < pairs; pair++) {
      progress(`generation: pair ${pair + 1} of ${pairs}`)
      const prompt = prompts[pair % prompts.length] ?? ''
      // A B, then B A: what drifts over time favours neither.
      const first = pair % 2 === 0 ? await ask(bare, prompt, maxTokens) : undefined
      const network = await through(prompt)
      const alone = first ?? (await ask(bare, prompt, maxTokens))
      const aloneRate = ((alone.tokens - 1) / alone.generationMs) * 1000
      relayed += network.tokens
      ratios.push(network.rate / aloneRate)
      const tokens = `${network.tokens} / ${alone.tokens}`
      rows.push([pair + 1, tokens, fixed(network.rate), fixed(aloneRate), fixed(network.rate / aloneRate, 3)])
    }
    const ratio = median(ratios)
    const range = `${fixed(quantile(ratios, 0), 3)} to ${fixed(quantile(ratios, 1), 3)}`
    rows.push(['**median**', '', '', '', `**${fixed(ratio, 3)}**`])
    const columns = ['pair', 'tokens, network / alone', 'network, tokens/s', 'alone, tokens/s', 'ratio']
    printTable('generation: through the network ÷ node-llama-cpp alone', columns, rows)
    const [orcCpu, agentCpu] = others.map((pid, index) => cpuSeconds(pid) - (cpuBefore[index] ?? 0))
    const perThousand = (seconds = 0): string => fixed((seconds / relayed) * 1000, 3)
    const messages = ((counter.counts().fromHost - messagesBefore) / relayed) * 1000
    const engines = descendants(host.pid).map(rssMegabytes)
    printNote(
      `Target ≥ ${TARGET_RATIO}: **${verdict(ratio >= TARGET_RATIO)}** (pairs from ${range}). ${RANDOM_MODEL_NAME}; greedy; ` +
        `context ${CONTEXT}; one thread for the engine on either side, the rest of the machine for everything else; only ` +
        'one side works at a time. Rate: tokens after the first over the time from the first to the last.',
    )
    printNote(
      `Per 1,000 tokens: ${fixed(messages, 0)} messages from the Host, CPU seconds ${perThousand(orcCpu)} workerd and ` +
        `${perThousand(agentCpu)} agent (without its engine). RSS: workerd ${fixed(rssMegabytes(network.orcPid), 0)} MB, agent ` +
        `${fixed(rssMegabytes(host.pid), 0)} MB, engine ${fixed(Math.max(...engines), 0)} MB.`,
    )
  })
}

async function ask(bare: Helper, prompt: string, maxTokens: number): Promise<BareAnswer> {
  return (await bare.ask({ prompt, maxTokens })) as BareAnswer
}

/** Random weights may end an answer at any token: only prompts whose answer has full length are compared. */
async function fullLengthPrompts(bare: Helper, wanted: number, maxTokens: number): Promise<string[]> {
  const prompts: string[] = []
  for (let index = 0; index < CANDIDATES && prompts.length < wanted; index++) {
    const prompt = `Count from ${index} to ${index + 9} and say what comes next.`
    const { tokens, whole } = await ask(bare, prompt, maxTokens)
    if (tokens === maxTokens && whole) prompts.push(prompt)
  }
  if (prompts.length === 0) throw new Error('no prompt gives an answer of full length')
  return prompts
}
