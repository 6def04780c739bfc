import type { BareBatchAnswer } from '../bare-batch.ts'
import type { BareAnswer } from '../bare-engine.ts'
import type { Helper } from '../child.ts'
import { cpuSeconds } from '../proc.ts'
import { fixed, printNote, printTable } from '../report.ts'
import { median } from '../stats.ts'
import { Lab } from './lab.ts'
import { questionOf, timed } from './lab-host.ts'
import { type BenchModel, benchModels, fullLengthPrompts } from './models.ts'
import { inTurns, perSecond, RATIO_COLUMNS, ratioCells, type Timed, total } from './pairs.ts'

const CONTEXT = 1_024
const MANY = 8
/** Threads of libuv's pool in the process of node-llama-cpp alone: what Node takes by itself, and what the Host gives its engine. */
const POOLS = [4, 1]

interface Plan {
  readonly model: BenchModel
  readonly streams: number
  readonly pairs: number
  readonly maxTokens: number
  /** Prompts that are answered at once, and then the next ones: together one measurement. */
  readonly rounds: readonly (readonly string[])[]
  readonly least: number
}

type Row = (string | number)[]

const COLUMNS = [
  'model',
  'libuv pool alone',
  'Host, tokens/s',
  'alone, tokens/s',
  ...RATIO_COLUMNS,
  'tokens, Host / alone',
  'agent, CPU ms per 1,000 tokens',
]

const CONDITIONS =
  `Greedy; context ${CONTEXT} of each sequence; the engine has one thread to compute on either side, agent and bench share the rest of ` +
  'the machine; only one side works at a time, in turns. '

/** Tokens per second of one stream: the Host against node-llama-cpp alone. */
export async function oneStream(quick: boolean): Promise<void> {
  const { nano, large } = await benchModels()
  const plan = { streams: 1, least: 0.97 }
  const nanoPlan = { ...plan, model: nano, pairs: quick ? 2 : 31, maxTokens: quick ? 200 : 400 }
  const largePlan = { ...plan, model: large, pairs: quick ? 2 : 15, maxTokens: quick ? 24 : 64 }
  const alone = (prompts: readonly string[]): string[][] => prompts.map((prompt) => [prompt])
  const rows = [
    ...(await measure({ ...nanoPlan, rounds: alone(await promptsFor(nano, 2, nanoPlan.maxTokens)) })),
    ...(await measure({ ...largePlan, rounds: alone(await promptsFor(large, 1, largePlan.maxTokens)) })),
  ]
  printTable('host: one stream, the Host ÷ node-llama-cpp alone', COLUMNS, rows)
  printNote(
    `${CONDITIONS}Rate: tokens after the first over the time from the first to the last, at the Host as its frames arrive. ` +
      "Ratio: the median of the pairs'. Node gives libuv's pool 4 threads; the Host gives its engine 1.",
  )
}

/** Tokens per second of eight streams together: the Host against node-llama-cpp's own batching. */
export async function eightStreams(quick: boolean): Promise<void> {
  const { nano, large } = await benchModels()
  const plan = { streams: MANY, least: 0.95 }
  const nanoPlan = { ...plan, model: nano, pairs: quick ? 2 : 21, maxTokens: quick ? 200 : 400 }
  const largePlan = { ...plan, model: large, pairs: quick ? 1 : 7, maxTokens: quick ? 8 : 32 }
  const nanoPrompts = await promptsFor(nano, MANY, nanoPlan.maxTokens)
  const rows = [
    // The same prompts again: they are read already, so that only generating is measured.
    ...(await measure({ ...nanoPlan, rounds: [nanoPrompts] })),
    ...(await measure({ ...largePlan, rounds: [await promptsFor(large, MANY, largePlan.maxTokens)] })),
  ]
  printTable(`host: ${MANY} streams at once, the Host ÷ node-llama-cpp's own batching`, COLUMNS, rows)
  printNote(
    `${CONDITIONS}${MANY} sequences of one context and the same prompts, which were read before. Rate: tokens of all answers after ` +
      'the first of them all, over the time from it to the last. With 4 threads in its pool node-llama-cpp samples ' +
      'sequences side by side, which now and then mixes their answers up (docs/decisions/0006).',
  )
}

async function measure({ model, streams, pairs, maxTokens, rounds, least }: Plan): Promise<Row[]> {
  await using lab = await Lab.open()
  const batch = { modelPath: model.path, sequences: streams, contextLength: CONTEXT }
  const bares: Helper[] = []
  for (const size of POOLS)
    bares.push(await lab.helper('bare-batch.ts', batch, { UV_THREADPOOL_SIZE: String(size) }))
  const host = await lab.host({ modelPath: model.path, slots: streams, contextLength: CONTEXT })

  const tokens = { host: 0, alone: [0, 0] }
  let agentSeconds = 0
  const through = async (): Promise<number> => {
    const before = cpuSeconds(host.pid)
    const parts: Timed[] = []
    for (const prompts of rounds)
      parts.push(timed(await host.ask(prompts.map((prompt) => questionOf(prompt, maxTokens)))))
    agentSeconds += cpuSeconds(host.pid) - before
    const sum = total(parts)
    tokens.host += sum.tokens
    return perSecond(sum)
  }
  const alone = async (index: number): Promise<number> => {
    const parts: Timed[] = []
    for (const prompts of rounds)
      parts.push((await bares[index]?.ask({ prompts, maxTokens })) as BareBatchAnswer)
    const sum = total(parts)
    tokens.alone[index] = (tokens.alone[index] ?? 0) + sum.tokens
    return perSecond(sum)
  }
  // The Host stands between the two that it is compared to, in either order.
  const sides = [() => alone(0), through, () => alone(1)]
  // Prompts are read and code is compiled before anything is measured.
  for (const side of sides) await side()
  tokens.host = 0
  tokens.alone = [0, 0]
  agentSeconds = 0

  const [wide = [], hostRates = [], narrow = []] = await inTurns(`${streams} × ${model.name}`, pairs, sides)
  return [wide, narrow].map((rates, index) => [
    model.name,
    POOLS[index] ?? '',
    fixed(median(hostRates), 1),
    fixed(median(rates), 1),
    ...ratioCells(hostRates, rates, { least }),
    `${tokens.host} / ${tokens.alone[index]}`,
    fixed((agentSeconds / tokens.host) * 1_000_000, 0),
  ])
}

async function promptsFor({ path }: BenchModel, wanted: number, maxTokens: number): Promise<string[]> {
  await using lab = await Lab.open()
  const bare = await lab.helper('bare-engine.ts', { modelPath: path, contextLength: CONTEXT })
  return await fullLengthPrompts(
    wanted,
    maxTokens,
    async (prompt) => (await bare.ask({ prompt, maxTokens })) as BareAnswer,
  )
}
