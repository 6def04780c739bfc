// What belongs between two pieces of code, as an editor asks for it.
import { Completions } from 'daisi-sdk'
import { daisi, model } from './connect.ts'

const { choices } = await new Completions(daisi).create({
  model,
  temperature: 0,
  max_tokens: 20,
  prompt: 'def add(a, b):\n    return ',
  suffix: '\n',
})
console.log(choices[0]?.text)
