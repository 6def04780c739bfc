// The Responses API. Nothing is stored: the next request sends all items again.
import OpenAI from 'openai'
import { apiKey, baseURL, model } from './connect.ts'

const openai = new OpenAI({ baseURL, apiKey })
const response = await openai.responses.create({
  model,
  temperature: 0,
  input: 'What is the capital of Japan?',
})
console.log(response.output_text)
