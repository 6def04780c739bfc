import { env } from 'cloudflare:workers'
import { CATALOGUE_PATH, MAX_CATALOGUE_MODELS, catalogue } from '@daisi/protocol'
import { beforeEach, expect, test } from 'vitest'
import { call, operatorAccount } from './support/orc.ts'
import { refusal } from './support/team.ts'

const ENTRY = {
  name: 'Daisi Nano',
  sha256: 'ab'.repeat(32),
  sizeBytes: 3_000_000,
  url: 'https://models.example/daisi-nano.gguf',
  contextLength: 2_048,
  licence: 'Apache-2.0',
  kinds: ['chat'],
}

/** Asks as the operator. */
async function ask(method: string, id: string, body?: unknown): Promise<Response> {
  const { token } = await operatorAccount()
  return call(method, `/api/catalogue/${id}`, { token, body })
}

async function listed(): Promise<{ id: string; aliases: string[] }[]> {
  return catalogue.parse(await (await call('GET', CATALOGUE_PATH)).json()).models
}

beforeEach(async () => {
  await env.DB.batch([
    env.DB.prepare('DELETE FROM catalogue_names'),
    env.DB.prepare('DELETE FROM catalogue_models'),
  ])
})

test('[M6] what the operator puts in, everybody reads, by id; the same again changes nothing', async () => {
  const full = {
    ...ENTRY,
    aliases: ['nano', 'small:latest'],
    url: 'hf:daisi/nano-GGUF/daisi-nano.Q8_0.gguf#main',
    capabilities: ['tools'],
    parameters: 2_900_000,
    quantization: 'Q8_0',
    defaultSampling: { temperature: 0.7, topK: 40 },
    notes: 'Runs anywhere.',
  }
  for (let time = 0; time < 2; time++) expect((await ask('PUT', 'daisi/nano', full)).status).toBe(200)
  expect((await ask('PUT', 'another', ENTRY)).status).toBe(200)
  expect(await listed()).toEqual([
    { id: 'another', ...ENTRY, aliases: [], capabilities: [], defaultSampling: {} },
    { id: 'daisi/nano', ...full },
  ])
  expect(await (await ask('GET', 'daisi%2Fnano')).json()).toEqual({ id: 'daisi/nano', ...full })
})

test('a model takes the place of the one with its id, and lets go of names that it has no more', async () => {
  await ask('PUT', 'one', { ...ENTRY, aliases: ['first', 'kept'] })
  expect((await ask('PUT', 'one', { ...ENTRY, name: 'New', aliases: ['kept'] })).status).toBe(200)
  expect((await ask('PUT', 'two', { ...ENTRY, aliases: ['first'] })).status).toBe(200)
  expect(await listed()).toMatchObject([
    { id: 'one', name: 'New', aliases: ['kept'] },
    { id: 'two', aliases: ['first'] },
  ])
})

test.for([
  ['an alias that is another’s id', 'two', ['one']],
  ['an alias that is another’s alias', 'two', ['uno']],
  ['an id that is another’s alias', 'uno', []],
] as const)('[M6] %s is a conflict, and nothing changes', async ([, id, aliases]) => {
  await ask('PUT', 'one', { ...ENTRY, aliases: ['uno'] })
  await ask('PUT', 'two', { ...ENTRY, aliases: ['dos'] })
  const before = await listed()
  expect(await refusal(await ask('PUT', id, { ...ENTRY, aliases }))).toEqual([409, 'conflict'])
  expect(await listed()).toEqual(before)
})

test('what was removed is gone with its names', async () => {
  await ask('PUT', 'one', { ...ENTRY, aliases: ['uno'] })
  expect((await ask('DELETE', 'one')).status).toBe(204)
  expect(await refusal(await ask('DELETE', 'one'))).toEqual([404, 'not_found'])
  expect(await refusal(await ask('GET', 'one'))).toEqual([404, 'not_found'])
  expect((await ask('PUT', 'uno', ENTRY)).status).toBe(200)
  expect(await listed()).toMatchObject([{ id: 'uno' }])
})

test.for([
  ['a file over plain HTTP', { url: 'http://models.example/x.gguf' }],
  ['an address with a password', { url: 'https://me:secret@models.example/x.gguf' }],
  ['a file on this machine', { url: 'file:///etc/passwd' }],
  ['a name on Hugging Face that is none', { url: 'hf:only-a-user' }],
  ['a hash in capitals', { sha256: 'AB'.repeat(32) }],
  ['an empty file', { sizeBytes: 0 }],
  ['a kind that there is not', { kinds: ['poetry'] }],
  ['no kind', { kinds: [] }],
  ['no licence', { licence: ' ' }],
  ['a misspelt field', { license: 'MIT' }],
  ['sampling that cannot be', { defaultSampling: { temperature: 3 } }],
  ['sampling that a request decides', { defaultSampling: { seed: 1 } }],
  ['an alias twice', { aliases: ['a', 'a'] }],
  ['its id as alias', { aliases: ['bad'] }],
  ['an alias that is no model id', { aliases: ['with spaces'] }],
])('%s is refused', async ([, field]) => {
  expect(await refusal(await ask('PUT', 'bad', { ...ENTRY, ...(field as object) }))).toEqual([
    400,
    'invalid_request',
  ])
  expect(await listed()).toEqual([])
})

test('an id that no Host could announce is refused', async () => {
  expect(await refusal(await ask('PUT', 'with%20spaces', ENTRY))).toEqual([400, 'invalid_request'])
})

test('a full catalogue takes changes and nothing new', async () => {
  const numbers = `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${MAX_CATALOGUE_MODELS})`
  const entry = JSON.stringify({ id: 'x', ...ENTRY })
  await env.DB.batch([
    env.DB.prepare(`${numbers} INSERT INTO catalogue_models SELECT 'm' || i, ?, 0 FROM n`).bind(entry),
    env.DB.prepare(`${numbers} INSERT INTO catalogue_names SELECT 'm' || i, 'm' || i FROM n`),
  ])
  expect(await refusal(await ask('PUT', 'one-more', ENTRY))).toEqual([409, 'conflict'])
  expect((await ask('PUT', 'm1', { ...ENTRY, name: 'Changed' })).status).toBe(200)
})

test('[M6] who has the catalogue is told that it is the same, until it changes', async () => {
  await ask('PUT', 'one', ENTRY)
  const first = await call('GET', CATALOGUE_PATH)
  const etag = first.headers.get('etag') ?? ''
  expect(first.headers.get('cache-control')).toBe('public, max-age=300')
  const again = (headers: Record<string, string>) => call('GET', CATALOGUE_PATH, { headers })
  const same = await again({ 'if-none-match': `"other", W/${etag}` })
  expect([same.status, await same.text(), same.headers.get('etag')]).toEqual([304, '', etag])
  await ask('PUT', 'two', ENTRY)
  expect((await again({ 'if-none-match': etag })).status).toBe(200)
})

test('an entry that this version cannot read is left out, and can be replaced', async () => {
  await env.DB.prepare(`INSERT INTO catalogue_models VALUES ('odd', '{"id":"odd"}', 0)`).run()
  await ask('PUT', 'one', ENTRY)
  expect(await listed()).toMatchObject([{ id: 'one' }])
  expect((await ask('PUT', 'odd', ENTRY)).status).toBe(200)
  expect(await listed()).toMatchObject([{ id: 'odd' }, { id: 'one' }])
})
