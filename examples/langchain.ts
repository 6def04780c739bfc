// LangChain.
import { ChatOpenAI } from '@langchain/openai'
import { apiKey, baseURL, model } from './connect.ts'

const chat = new ChatOpenAI({ model, temperature: 0, apiKey, configuration: { baseURL } })
const { content } = await chat.invoke('What is the capital of Japan?')
console.log(content)
