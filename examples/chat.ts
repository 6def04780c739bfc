// A whole answer, and what it took.
import { daisi, model } from './connect.ts'

const answer = await daisi.chat.create({
  model,
  temperature: 0,
  messages: [{ role: 'user', content: 'What is the capital of Japan?' }],
})
console.log(answer.choices[0]?.message.content)
console.log(`${answer.usage.total_tokens} tokens`)
