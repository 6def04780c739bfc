// The model calls a function of this program, and answers with what it said.
import { runTools, tool } from 'daisi-sdk'
import * as z from 'zod'
import { daisi, model } from './connect.ts'

const weather = tool({
  name: 'get_weather',
  description: 'Get the current weather for a city',
  parameters: z.object({ city: z.string().describe('City name') }),
  run: ({ city }) => {
    console.log(`looking out of the window in ${city}`)
    return { temperature: 21, condition: 'sunny' }
  },
})

const { text } = await runTools(daisi.chat, {
  model,
  temperature: 0,
  tools: [weather],
  messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
})
console.log(text)
