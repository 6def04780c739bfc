// Anthropic's client. Its address is that of the Orc without `/v1`.
import Anthropic from '@anthropic-ai/sdk'
import { apiKey, baseURL, model } from './connect.ts'

const anthropic = new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ''), apiKey })
const message = await anthropic.messages.create({
  model,
  max_tokens: 100,
  messages: [{ role: 'user', content: 'What is the capital of Japan?' }],
})
for (const block of message.content) if (block.type === 'text') console.log(block.text)
