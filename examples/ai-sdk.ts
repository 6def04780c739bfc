// The AI SDK: by daisi-sdk/ai, or by any provider for OpenAI or Anthropic.
import { streamText } from 'ai'
import { createDaisi } from 'daisi-sdk/ai'
import { daisi, model } from './connect.ts'

const provider = createDaisi(daisi)
const { textStream } = streamText({
  model: provider(model),
  temperature: 0,
  prompt: 'What is the capital of Japan?',
})
for await (const text of textStream) process.stdout.write(text)
console.log()
