// An answer while it is written.
import { daisi, model } from './connect.ts'

const stream = await daisi.chat.stream({
  model,
  temperature: 0,
  messages: [{ role: 'user', content: 'Count from 1 to 9.' }],
})
for await (const text of stream.textDeltas()) process.stdout.write(text)
const { usage } = await stream.final()
console.log(`\n${usage.completion_tokens} tokens`)
