import { afterAll, beforeAll, expect, test } from 'vitest'
import { goldenConversations, hold, type Message, referenceAnswers } from './support/golden.ts'
import { type Network, startNetwork } from './support/network.ts'

const conversations = goldenConversations()
const golden = conversations.map(({ turns }) => turns.map(({ answer }) => answer))
const titled = conversations.map((conversation, index) => ({ ...conversation, index }))

let network: Network
let reference: string[][]

beforeAll(async () => {
  network = await startNetwork()
  await network.startedHost()
  reference = await referenceAnswers(conversations)
})
afterAll(() => network?.stop())

async function whole(messages: Message[]): Promise<string> {
  const { openai } = network.consumer
  const answer = await openai.chat.completions.create({ model: 'daisi-nano', messages, temperature: 0 })
  return answer.choices[0]?.message.content ?? ''
}

async function streamed(messages: Message[]): Promise<string> {
  const { openai } = network.consumer
  const request = { model: 'daisi-nano', messages, temperature: 0, stream: true } as const
  let text = ''
  for await (const chunk of await openai.chat.completions.create(request))
    text += chunk.choices[0]?.delta.content ?? ''
  return text
}

/** Does `work` for all items, some of them at a time. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}

test('there are conversations to compare, and node-llama-cpp alone gives what was recorded', () => {
  expect(conversations).toHaveLength(34)
  expect(reference).toEqual(golden)
})

test.for(titled)(
  '[A5, J2] $title: whole and streamed as the engine alone',
  async ({ index, ...conversation }) => {
    expect(await hold(conversation, whole)).toEqual(reference[index])
    expect(await hold(conversation, streamed)).toEqual(reference[index])
  },
)

test.for([
  { name: 'whole', ask: whole },
  { name: 'streamed', ask: streamed },
])('all at once, 16 at a time, $name: neighbours do not change an answer', async ({ ask }) => {
  const answers = await inParallel(conversations, 16, (conversation) => hold(conversation, ask))
  expect(answers).toEqual(reference)
})
