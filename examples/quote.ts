// What would it cost, and who could do it? Then: that Host and no other.
import { balance, quote } from 'daisi-sdk'
import { daisi, model } from './connect.ts'

const request = { model, max_tokens: 30, messages: [{ role: 'user' as const, content: 'Hello' }] }
const { credits, prompt, hosts, servable } = await quote(daisi, { request })
console.log(
  `${prompt.tokens} tokens of prompt, ${credits.minimum} to ${credits.maximum} credits, servable: ${servable}`,
)
console.log(`${(await balance(daisi)).available} credits to spend`)
const [first] = hosts
if (first !== undefined) {
  const answer = await daisi.chat.create(request, { host: first.host, waitSeconds: 10 })
  console.log(`${first.host} says: ${answer.choices[0]?.message.content}`)
}
