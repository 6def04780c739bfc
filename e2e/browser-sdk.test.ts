import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, noBrowser } from './support/browser.ts'
import { type Network, startNetwork } from './support/network.ts'
import { weather, weatherAnswer, weatherQuestion } from './support/tools.ts'

const dist = join(import.meta.dirname, '../sdk/dist')
const model = 'daisi-nano'
/** Its modules have run when it is loaded. */
const PAGE =
  "<!doctype html><script type=module>import * as sdk from '/index.js'; globalThis.sdk = sdk</script>"

type Sdk = typeof import('daisi-sdk')
interface PageScope {
  readonly sdk: Sdk
}

describe.skipIf(noBrowser !== undefined)('daisi-sdk in a page in Chromium, with a browser token', () => {
  let network: Network
  let files: Server
  let browser: Browser
  let page: Page
  let client: { baseURL: string; apiKey: string }

  beforeAll(async () => {
    network = await startNetwork()
    files = createServer((request, response) => {
      const name = new URL(request.url ?? '/', 'http://page').pathname.slice(1)
      const text = /^[a-z-]+\.js$/.test(name) ? readFile(join(dist, name)) : Promise.resolve(PAGE)
      response.setHeader('content-type', name.endsWith('.js') ? 'text/javascript' : 'text/html')
      void text.then((body) => response.end(body))
    }).listen(0, '127.0.0.1')
    await once(files, 'listening')
    const origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`
    const { token } = await network.consumer.daisi.tokens.create({
      origins: [origin],
      scopes: ['inference', 'usage'],
    })
    client = { baseURL: network.url, apiKey: token }
    ;[browser] = await Promise.all([launchBrowser(), network.startedHost()])
    page = await browser.newPage()
    await page.goto(origin)
  })
  afterAll(async () => {
    await browser?.close()
    files?.close()
    await network?.stop()
  })

  test('chats, streamed; completions, embeddings, responses, a quote', async () => {
    const told = await page.evaluate(
      async ({ client, model }) => {
        const { sdk } = globalThis as unknown as PageScope
        const daisi = new sdk.Daisi(client)
        const messages = [{ role: 'user' as const, content: 'What is the capital of Japan?' }]
        const chat = await daisi.chat.stream({ model, messages, temperature: 0 })
        const prompt = 'def add(a, b):\n    return '
        const middle = await new sdk.Completions(daisi).stream({
          model,
          prompt,
          suffix: '\n',
          temperature: 0,
          max_tokens: 9,
        })
        let code = ''
        for await (const { choices } of middle) code += choices[0]?.text ?? ''
        const { vectors } = await sdk.embed(daisi, { model, input: ['A fox', 'A dog'] })
        let text = ''
        const input = messages[0]?.content ?? ''
        for await (const event of await new sdk.Responses(daisi).stream({ model, input, temperature: 0 }))
          if (event.type === 'response.output_text.delta') text += event.delta
        const { servable } = await sdk.quote(daisi, { request: { model, messages } })
        return { chat: await chat.text(), code, vectors: vectors.map(({ length }) => length), text, servable }
      },
      { client, model },
    )
    const answer = 'The capital of Japan is Tokyo.'
    expect(told).toEqual({ chat: answer, code: 'a + b', vectors: [256, 256], text: answer, servable: true })
  })

  test('tools of the page, and an answer in the form of a schema', async () => {
    const told = await page.evaluate(
      async ({ client, model, weather, weatherQuestion }) => {
        const { sdk } = globalThis as unknown as PageScope
        const daisi = new sdk.Daisi(client)
        const schema = {
          '~standard': { version: 1 as const, vendor: 'page', validate: (value: unknown) => ({ value }) },
        }
        const fields = (...names: string[]) => ({
          type: 'object',
          properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
          required: names,
        })
        const tool = sdk.tool({
          name: 'get_weather',
          description: 'Get the current weather for a city',
          parameters: { schema, jsonSchema: fields('city') },
          run: () => weather,
        })
        const common = { model, temperature: 0 }
        const messages = [{ role: 'user' as const, content: weatherQuestion }]
        const { text } = await sdk.runTools(daisi.chat, { ...common, messages, tools: [tool] })
        const { value } = await sdk.parseChat(daisi.chat, {
          ...common,
          messages: [{ role: 'user', content: 'Extract the name as JSON: Maria is 27 years old.' }],
          schema: { schema, jsonSchema: fields('name') },
        })
        return { text, value }
      },
      { client, model, weather, weatherQuestion },
    )
    expect(told).toEqual({ text: weatherAnswer, value: { name: 'Maria' } })
  })
})
