// Which text is closest to a question?
import { embed } from 'daisi-sdk'
import { daisi, model } from './connect.ts'

const texts = [
  'function add(a, b) { return a + b }',
  'The capital of Spain is Madrid.',
  'Bananas are yellow.',
]
const { vectors, usage } = await embed(daisi, { model, input: ['The capital of France is Paris.', ...texts] })
const [question, ...rest] = vectors
const closeness = rest.map((vector) =>
  vector.reduce((sum, value, at) => sum + value * (question?.[at] ?? 0), 0),
)
console.log(texts[closeness.indexOf(Math.max(...closeness))])
console.log(`${usage.prompt_tokens} tokens`)
