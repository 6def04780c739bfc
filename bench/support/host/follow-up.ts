import type { ChatTurn } from '@daisi/protocol'
import { fixed, printNote, printTable } from '../report.ts'
import { median, quantile, seededRandom } from '../stats.ts'
import { Lab } from './lab.ts'
import type { LabAnswer, LabHost, Question } from './lab-host.ts'
import { type BenchModel, benchModels } from './models.ts'
import { inTurns, RATIO_COLUMNS, ratioCells } from './pairs.ts'

const CONTEXT = 2_048
const LEAST_CACHED = 1_500
const TARGET = { most: 0.15 }
const ANSWER_TOKENS = 16
/** Makes more than `LEAST_CACHED` tokens, and leaves room in the context. */
const WORDS = 900
const VOCABULARY = 'house river garden window morning teacher number table water story light paper'.split(' ')

/** How much sooner the first token of a second turn comes because the first turn is remembered. */
export async function followUp(quick: boolean): Promise<void> {
  const { nano, large } = await benchModels()
  const rows = [await measure(nano, quick ? 2 : 9), await measure(large, quick ? 1 : 5)]
  const columns = [
    'model',
    'cached / prompt tokens, follow-up',
    'cached / prompt tokens, fresh',
    'follow-up, ms',
    'fresh, ms',
    ...RATIO_COLUMNS,
  ]
  printTable('host: first token of a follow-up turn', columns, rows)
  printNote(
    `From sending the job to the first frame, through the Host with 2 slots; both prompts have three turns and the same words, ` +
      'of the fresh one in an order that the Host has not seen. Cached tokens as the Host reports them, the fewest of all ' +
      `follow-ups and the most of all fresh prompts. One thread for the engine. Context ${CONTEXT}.`,
  )
}

async function measure({ name, path }: BenchModel, pairs: number): Promise<(string | number)[]> {
  await using lab = await Lab.open()
  const host = await lab.host({ modelPath: path, slots: 2, contextLength: CONTEXT })
  const random = seededRandom(20_260_101)
  // The way to the first token is compiled before it is measured.
  for (let round = 0; round < 3; round++) await answerOf(host, conversation(text(random, 60), 'One.'))

  const followUps: LabAnswer[] = []
  const fresh: LabAnswer[] = []
  let lastAnswer = 'One.'
  const [followUpMs = [], freshMs = []] = await inTurns(`follow-up, ${name}`, pairs, [
    async () => {
      const words = text(random, WORDS)
      const first: Question = { messages: [{ role: 'user', content: words }], maxTokens: ANSWER_TOKENS }
      // A model may find nothing to say to words in no order.
      lastAnswer = (await answerOf(host, first)).text || 'One.'
      followUps.push(await answerOf(host, conversation(words, lastAnswer)))
      return firstTokenMs(followUps.at(-1))
    },
    async () => {
      fresh.push(await answerOf(host, conversation(text(random, WORDS), lastAnswer)))
      return firstTokenMs(fresh.at(-1))
    },
  ])
  const least = quantile(
    followUps.map(({ cachedTokens }) => cachedTokens),
    0,
  )
  if (least < LEAST_CACHED) throw new Error(`only ${least} tokens of a follow-up were cached`)
  return [
    name,
    cached(followUps, 0),
    cached(fresh, 1),
    fixed(median(followUpMs)),
    fixed(median(freshMs)),
    ...ratioCells(followUpMs, freshMs, TARGET),
  ]
}

/** The same words each time, in a random order: as many tokens, and nothing in common but the beginning of the template. */
function text(random: () => number, words: number): string {
  const all = Array.from({ length: words }, (_, index) => VOCABULARY[index % VOCABULARY.length] ?? '')
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[all[last], all[other]] = [all[other] ?? '', all[last] ?? '']
  }
  return all.join(' ')
}

function conversation(words: string, answer: string): Question {
  const messages: ChatTurn[] = [
    { role: 'user', content: words },
    { role: 'assistant', content: answer },
    { role: 'user', content: 'And what comes next?' },
  ]
  return { messages, maxTokens: ANSWER_TOKENS }
}

async function answerOf(host: LabHost, question: Question): Promise<LabAnswer> {
  const [answer] = await host.ask([question])
  if (answer === undefined) throw new Error('the Host did not answer')
  return answer
}

function firstTokenMs(answer: LabAnswer | undefined): number {
  return answer === undefined ? Number.NaN : answer.firstAt - answer.sentAt
}

function cached(answers: readonly LabAnswer[], share: number): string {
  const of = (values: readonly number[]): number => quantile(values, share)
  return `${of(answers.map((one) => one.cachedTokens))} / ${of(answers.map((one) => one.promptTokens))}`
}
