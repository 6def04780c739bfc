// An answer in the form of a schema, typed by it.
import { parseChat } from 'daisi-sdk'
import * as z from 'zod'
import { daisi, model } from './connect.ts'

const { value } = await parseChat(daisi.chat, {
  model,
  temperature: 0,
  schema: z.object({ name: z.string(), age: z.number() }),
  messages: [{ role: 'user', content: 'Extract the name and age as JSON: Maria is 27 years old.' }],
})
console.log(`${value.name} is ${value.age + 1} next year`)
