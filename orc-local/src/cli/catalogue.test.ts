import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AccountCreated } from '@daisi/protocol'
import { expect, vi } from 'vitest'
import { ExitCode } from '../exit-codes.ts'
import { manageApi } from '../manage-api.ts'
import { builtArtefacts } from '../orc/artefacts.ts'
import { test } from '../testing/orc-fixture.ts'
import { catalogueCommand } from './catalogue.ts'

// Against the Worker itself, as it was built.

const MODEL = {
  name: 'Daisi Nano',
  sha256: 'ab'.repeat(32),
  sizeBytes: 3_000_000_000,
  url: 'hf:daisi/nano-GGUF/daisi-nano.gguf',
  contextLength: 2_048,
  licence: 'Apache-2.0',
  kinds: ['chat'],
}

/** What the command prints. Rejects as it fails. */
async function catalogue(...args: readonly string[]): Promise<string> {
  const written: string[] = []
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    written.push(String(chunk))
    return true
  })
  try {
    await catalogueCommand().parseAsync(args, { from: 'user' })
  } finally {
    stdout.mockRestore()
  }
  return written.join('')
}

test('an operator fills the catalogue from a file, lists it, and takes models out', async ({
  start,
  dir,
}) => {
  const orc = await start({ ...builtArtefacts })
  const { token } = await manageApi(orc.url, orc.setupToken).post<AccountCreated>('/api/setup', {
    name: 'me',
  })
  const file = join(dir, 'catalogue.json')
  const write = (...models: readonly unknown[]): Promise<void> => writeFile(file, JSON.stringify({ models }))

  const asOperator = ['--orc', orc.url, '--token', token]
  await write({ id: 'daisi/nano', aliases: ['nano'], ...MODEL }, { id: 'other:q8', ...MODEL })
  expect(await catalogue('import', file, ...asOperator)).toMatch(/^Imported 2 models/)
  // Whatever list prints, import reads.
  const json = await catalogue('list', '--json', '--orc', orc.url)
  expect(JSON.parse(json)).toMatchObject({
    models: [{ id: 'daisi/nano', aliases: ['nano'] }, { id: 'other:q8' }],
  })
  await writeFile(file, json)
  expect(await catalogue('import', file, ...asOperator)).toMatch(/^Imported 2 models/)

  // Of a file with one that clashes, what stands before it is in.
  await write({ id: 'third', ...MODEL }, { id: 'nano', ...MODEL })
  await expect(catalogue('import', file, ...asOperator)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/^nano: /),
  })

  await catalogue('remove', 'daisi/nano', ...asOperator)
  await expect(catalogue('remove', 'daisi/nano', ...asOperator)).rejects.toMatchObject({ code: 'not_found' })
  expect((await catalogue('list', '--orc', orc.url)).split('\n').slice(0, -1)).toEqual([
    'other:q8  Daisi Nano (3.00 GB; 2048 tokens; Apache-2.0; chat)',
    'third  Daisi Nano (3.00 GB; 2048 tokens; Apache-2.0; chat)',
  ])
})

test.for([
  ['a list', '[]'],
  ['a catalogue of things without ids', '{"models":[{}]}'],
  ['no JSON', 'models:'],
] as const)('a file with %s is refused before anything is sent', async ([, content], { dir }) => {
  const file = join(dir, 'catalogue.json')
  await writeFile(file, content)
  const nowhere = ['--orc', 'http://127.0.0.1:1', '--token', 't']
  await expect(catalogue('import', file, ...nowhere)).rejects.toMatchObject({ exitCode: ExitCode.Usage })
})
