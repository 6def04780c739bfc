import { readFileSync } from 'node:fs'
import { getLlama, LlamaChatSession, LlamaLogLevel } from 'node-llama-cpp'
import { GOLDEN_FILE, NANO_MODEL } from './paths.ts'

/** A message as every client takes it. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** A conversation of the bundled model, with the right answers. */
export interface Conversation {
  readonly title: string
  readonly system: string | undefined
  readonly turns: readonly { readonly user: string; readonly answer: string }[]
}

interface GoldenFile {
  readonly prompts: readonly {
    readonly right: boolean
    readonly messages: readonly Message[]
  }[]
}

/** Stands in the file for a system message that node-llama-cpp adds by itself; Consumers have no such thing. */
const DEFAULT_SYSTEM = '(default of node-llama-cpp)'

/** What the model's makers recorded and found right. */
export function goldenConversations(): readonly Conversation[] {
  const { prompts }: GoldenFile = JSON.parse(readFileSync(GOLDEN_FILE, 'utf8'))
  return prompts
    .filter(({ right, messages }) => right && messages[0]?.content !== DEFAULT_SYSTEM)
    .map(({ messages }) => {
      const system = messages[0]?.role === 'system' ? messages[0].content : undefined
      const [users, answers] = (['user', 'assistant'] as const).map((role) =>
        messages.filter((message) => message.role === role).map(({ content }) => content),
      )
      const turns = users!.map((user, index) => ({ user, answer: answers![index]! }))
      return { title: users!.join(' | '), system, turns }
    })
}

/** The answers that the network gives to the turns of a conversation. `ask` sends one request. */
export async function hold(
  { system, turns }: Conversation,
  ask: (messages: Message[]) => Promise<string>,
): Promise<string[]> {
  const messages: Message[] = system === undefined ? [] : [{ role: 'system', content: system }]
  const answers: string[] = []
  for (const { user } of turns) {
    messages.push({ role: 'user', content: user })
    const answer = await ask(messages)
    messages.push({ role: 'assistant', content: answer })
    answers.push(answer)
  }
  return answers
}

/** The answers of node-llama-cpp alone, here and now. */
export async function referenceAnswers(conversations: readonly Conversation[]): Promise<string[][]> {
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, maxThreads: 1 })
  try {
    const model = await llama.loadModel({ modelPath: NANO_MODEL })
    const context = await model.createContext({ contextSize: 2048 })
    const contextSequence = context.getSequence()
    const all: string[][] = []
    for (const { system, turns } of conversations) {
      await contextSequence.clearHistory()
      const session = new LlamaChatSession({
        contextSequence,
        ...(system === undefined ? {} : { systemPrompt: system }),
      })
      if (system === undefined) session.setChatHistory([])
      const answers: string[] = []
      for (const { user } of turns)
        answers.push(await session.prompt(user, { maxTokens: 500, temperature: 0 }))
      session.dispose()
      all.push(answers)
    }
    return all
  } finally {
    await llama.dispose()
  }
}
