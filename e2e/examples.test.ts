import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Network, startNetwork } from './support/network.ts'

const folder = join(import.meta.dirname, '../examples')

/** What each prints. One without a row fails: nothing is shown that was not run. */
const printed: Readonly<Record<string, RegExp>> = {
  'ai-sdk.ts': /Tokyo/,
  // Its client knows no temperature: the answer is the model's own.
  'anthropic.ts': /\w/,
  'chat.ts': /Tokyo[^]*\d+ tokens/,
  'embeddings.ts': /Madrid[^]*\d+ tokens/,
  'fill-in-the-middle.ts': /^a \+ b$/m,
  'langchain.ts': /Tokyo/,
  'openai.ts': /Tokyo[^]*\d+ tokens/,
  'quote.ts': /servable: true[^]*credits to spend[^]*-[0-9a-f]{6} says: \w/,
  'responses.ts': /Tokyo/,
  'stream.ts': /1, 2, 3, 4, 5, 6, 7, 8, 9\n\d+ tokens/,
  'structured.ts': /Maria is 28 next year/,
  'tools.ts': /looking out of the window in Paris\nThe weather in Paris is sunny with 21 degrees\./,
}

let network: Network

beforeAll(async () => {
  network = await startNetwork()
  await network.startedHost()
})
afterAll(() => network?.stop())

const examples = readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'connect.ts')

test.for(examples)('%s', async (name) => {
  const env = {
    ...process.env,
    DAISI_BASE_URL: `${network.url}/v1`,
    DAISI_API_KEY: network.consumer.key.key,
  }
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, name)], { env })
  expect(stdout).toMatch(printed[name] ?? 'a row for this file')
})
