import type { BareAnswer } from '../bare-engine.ts'
import type { BoundaryAnswer, BoundaryOptions } from '../boundary-engine.ts'
import type { Helper } from '../child.ts'
import { fixed, printNote, printTable } from '../report.ts'
import { median } from '../stats.ts'
import { Lab } from './lab.ts'
import { type BenchModel, benchModels, fullLengthPrompts } from './models.ts'
import { inTurns, perSecond, RATIO_COLUMNS, ratioCells, total } from './pairs.ts'

const CONTEXT = 1_024
/** The boundary costs 2 % at most. */
const TARGET = { least: 0.98 }

/** What it costs that the model lives in a process of its own. */
export async function boundary(quick: boolean): Promise<void> {
  const { nano, large } = await benchModels()
  const rows = [
    await measure(nano, quick ? 2 : 31, 400, 2),
    await measure(large, quick ? 2 : 15, quick ? 24 : 48, 1),
  ]
  const columns = ['model', 'tokens of an answer', 'apart, tokens/s', 'together, tokens/s', ...RATIO_COLUMNS]
  printTable('host: the boundary of the engine process', columns, rows)
  printNote(
    "Apart: the Host's engine as the agent has it, the model in a process of its own. Together: the same code with the model " +
      'in the process that reads the answer. One stream, greedy, one thread for the computing and a pool of 1 on either side; ' +
      'in turns. Rate: tokens after the first frame over the time from the first frame to the last.',
  )
}

async function measure(
  { name, path }: BenchModel,
  pairs: number,
  maxTokens: number,
  answers: number,
): Promise<(string | number)[]> {
  await using lab = await Lab.open()
  const bare = await lab.helper('bare-engine.ts', { modelPath: path, contextLength: CONTEXT })
  const prompts = await fullLengthPrompts(
    answers,
    maxTokens,
    async (prompt) => (await bare.ask({ prompt, maxTokens })) as BareAnswer,
  )
  const open = (apart: boolean): Promise<Helper> => {
    const options: BoundaryOptions = { modelPath: path, contextLength: CONTEXT, apart }
    return lab.helper('boundary-engine.ts', options, { UV_THREADPOOL_SIZE: '1' })
  }
  const sides = [await open(true), await open(false)].map((engine) => async () => {
    const parts: BoundaryAnswer[] = []
    for (const prompt of prompts) parts.push((await engine.ask({ prompt, maxTokens })) as BoundaryAnswer)
    return perSecond(total(parts))
  })
  for (const warmUp of sides) await warmUp()
  const [apart = [], together = []] = await inTurns(`boundary, ${name}`, pairs, sides)
  const rates = [fixed(median(apart), 1), fixed(median(together), 1)]
  return [name, maxTokens, ...rates, ...ratioCells(apart, together, TARGET)]
}
