// An app of somebody who knows OpenAI's client and nothing of DAISI: `node ask-openai.ts baseURL apiKey model question`.
import OpenAI from 'openai'

const [baseURL, apiKey, model = '', content = ''] = process.argv.slice(2)
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 })
const answer = await client.chat.completions.create({
  model,
  temperature: 0,
  messages: [{ role: 'user', content }],
})
process.stdout.write(`${JSON.stringify(answer.choices[0]?.message.content)}\n`)
