// The completion client of Continue's editor extensions: what belongs between two pieces of code.
import { constructLlmApi } from '@continuedev/openai-adapters'

const baseUrl = process.env['DAISI_BASE_URL'] ?? 'http://127.0.0.1:8787/v1'
const apiKey = process.env['DAISI_API_KEY'] ?? ''

// Of its providers this is the one that sends `suffix` to `/v1/completions`.
const api = constructLlmApi({ provider: 'llamastack', apiBase: `${baseUrl}/`, apiKey })
const request = {
  model: 'daisi-nano',
  prompt: 'def add(a, b):\n    return ',
  suffix: '\n',
  temperature: 0,
  max_tokens: 20,
}
let text = ''
for await (const { choices } of api?.fimStream(request, new AbortController().signal) ?? [])
  text += choices[0]?.delta.content ?? ''
console.log(`${request.prompt}[${text}]${request.suffix}`)
