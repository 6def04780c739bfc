import type { BareBatchAnswer } from '../bare-batch.ts'
import type { BareAnswer } from '../bare-engine.ts'
import type { Helper } from '../child.ts'
import { fixed, printNote, printTable } from '../report.ts'
import { median } from '../stats.ts'
import { Lab } from './lab.ts'
import { questionOf, timed } from './lab-host.ts'
import { type BenchModel, benchModels, fullLengthPrompts } from './models.ts'
import { inTurns, perSecond, RATIO_COLUMNS, ratioCells, total } from './pairs.ts'

const CONTEXT = 1_024
const ONE_STREAM = { least: 0.97 }
const PARALLEL = { least: 0.95 }
const STREAMS = 8

/** How much is asked for, so that a measurement takes about as long with either model. */
interface Plan {
  readonly model: BenchModel
  readonly pairs: number
  readonly maxTokens: number
  /** Answers, one after the other, that make one measurement. */
  readonly answers: number
}

type Row = (string | number)[]

/** Tokens per second of one stream: the Host against node-llama-cpp alone. */
export async function oneStream(quick: boolean): Promise<void> {
  const { nano, large } = await benchModels()
  const rows = [
    await measureOne({ model: nano, pairs: quick ? 2 : 9, maxTokens: 400, answers: quick ? 2 : 6 }),
    await measureOne({ model: large, pairs: quick ? 2 : 7, maxTokens: quick ? 24 : 128, answers: 1 }),
  ]
  const columns = ['model', 'tokens of an answer', 'Host, tokens/s', 'alone, tokens/s', ...RATIO_COLUMNS]
  printTable('host: one stream, the Host ÷ node-llama-cpp alone', columns, rows)
  printNote(
    `Greedy; context ${CONTEXT}; the engine has one thread on either side, agent and bench share the rest of the machine; ` +
      'only one side works at a time, in turns. Rate: tokens after the first over the time from the first to the last, at the ' +
      "Host as its frames arrive. Ratio: median of the pairs'.",
  )
}

async function measureOne({ model, pairs, maxTokens, answers }: Plan): Promise<Row> {
  await using lab = await Lab.open()
  const bare = await lab.helper('bare-engine.ts', { modelPath: model.path, contextLength: CONTEXT })
  const host = await lab.host({ modelPath: model.path, slots: 1, contextLength: CONTEXT })
  const alone = async (prompt: string): Promise<BareAnswer> =>
    (await bare.ask({ prompt, maxTokens })) as BareAnswer
  const prompts = await fullLengthPrompts(answers, maxTokens, alone)
  const through = async (prompt: string): Promise<{ tokens: number; ms: number }> =>
    timed(await host.ask([questionOf(prompt, maxTokens)]))
  for (const prompt of prompts) await through(prompt)

  const [hostRates = [], aloneRates = []] = await inTurns(`one stream, ${model.name}`, pairs, [
    async () => perSecond(total(await each(prompts, through))),
    async () =>
      perSecond(
        total(
          await each(prompts, async (prompt) => {
            const { tokens, generationMs } = await alone(prompt)
            return { tokens: tokens - 1, ms: generationMs }
          }),
        ),
      ),
  ])
  const rates = [fixed(median(hostRates), 1), fixed(median(aloneRates), 1)]
  return [model.name, maxTokens, ...rates, ...ratioCells(hostRates, aloneRates, ONE_STREAM)]
}

/** Tokens per second of eight streams together: the Host against node-llama-cpp's own batching. */
export async function eightStreams(quick: boolean): Promise<void> {
  const { nano, large } = await benchModels()
  const rows = [
    ...(await measureEight({ model: nano, pairs: quick ? 2 : 7, maxTokens: 400, answers: quick ? 1 : 3 })),
    ...(await measureEight({ model: large, pairs: quick ? 1 : 5, maxTokens: quick ? 16 : 64, answers: 1 })),
  ]
  const columns = [
    'model',
    'node-llama-cpp alone',
    'Host, tokens/s',
    'alone, tokens/s',
    ...RATIO_COLUMNS,
    'tokens, Host / alone',
  ]
  printTable(`host: ${STREAMS} streams at once, the Host ÷ node-llama-cpp's own batching`, columns, rows)
  printNote(
    `${STREAMS} sequences of one context of ${CONTEXT} tokens each on either side, the same prompts, read before; greedy; ` +
      'one thread for the computing on either side. Rate: tokens of all answers over the time from the first of them all to ' +
      'the last. The pool is of libuv: with 4 threads, its default, sequences are sampled side by side, which mixes their ' +
      'answers up now and then; the Host runs its engine with 1 (docs/decisions/0006).',
  )
}

async function measureEight({ model, pairs, maxTokens, answers }: Plan): Promise<Row[]> {
  await using lab = await Lab.open()
  const batch = { modelPath: model.path, sequences: STREAMS, contextLength: CONTEXT }
  const pools = [4, 1]
  const bares: Helper[] = []
  for (const size of pools)
    bares.push(await lab.helper('bare-batch.ts', batch, { UV_THREADPOOL_SIZE: String(size) }))
  const host = await lab.host({ modelPath: model.path, slots: STREAMS, contextLength: CONTEXT })
  const prompts = await promptsFor(model, maxTokens)
  const rounds = Array.from({ length: answers })

  const tokens = { host: 0, alone: pools.map(() => 0) }
  const through = async (): Promise<number> => {
    const sum = total(
      await each(rounds, async () =>
        timed(await host.ask(prompts.map((prompt) => questionOf(prompt, maxTokens)))),
      ),
    )
    tokens.host += sum.tokens
    return perSecond(sum)
  }
  const alone = async (index: number): Promise<number> => {
    const ask = async (): Promise<BareBatchAnswer> =>
      (await bares[index]?.ask({ prompts, maxTokens })) as BareBatchAnswer
    const sum = total(await each(rounds, ask))
    tokens.alone[index] = (tokens.alone[index] ?? 0) + sum.tokens
    return perSecond(sum)
  }
  // Prompts are read and code is compiled before anything is measured.
  for (const warmUp of [through, ...pools.map((_, index) => () => alone(index))]) await warmUp()
  tokens.host = 0
  tokens.alone = pools.map(() => 0)

  // The Host stands between the two that it is compared to, in either order.
  const [wide = [], hostRates = [], narrow = []] = await inTurns(`${STREAMS} streams, ${model.name}`, pairs, [
    () => alone(0),
    through,
    () => alone(1),
  ])
  return [wide, narrow].map((rates, index) => [
    model.name,
    `pool of ${pools[index]}`,
    fixed(median(hostRates), 1),
    fixed(median(rates), 1),
    ...ratioCells(hostRates, rates, PARALLEL),
    `${tokens.host} / ${tokens.alone[index]}`,
  ])
}

async function promptsFor(model: BenchModel, maxTokens: number): Promise<string[]> {
  await using lab = await Lab.open()
  const bare = await lab.helper('bare-engine.ts', { modelPath: model.path, contextLength: CONTEXT })
  const tryOut = async (prompt: string): Promise<BareAnswer> =>
    (await bare.ask({ prompt, maxTokens })) as BareAnswer
  return fullLengthPrompts(STREAMS, maxTokens, tryOut)
}

async function each<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (const item of items) results.push(await work(item))
  return results
}
