// The openai client, with another address.
import OpenAI from 'openai'
import { apiKey, baseURL, model } from './connect.ts'

const openai = new OpenAI({ baseURL, apiKey })
const stream = openai.chat.completions.stream({
  model,
  temperature: 0,
  messages: [{ role: 'user', content: 'What is the capital of Japan?' }],
})
stream.on('content', (delta) => process.stdout.write(delta))
const { usage } = await stream.finalChatCompletion()
console.log(`\n${usage?.total_tokens ?? 0} tokens`)
