import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fakeManageServer } from './testing/fake-manage-server.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

interface Run {
  readonly code: number | null
  readonly out: string
  readonly errors: string
}

async function daisiOrc(...args: readonly string[]): Promise<Run> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'cli.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code, out, errors }
}

test('secrets prints what wrangler uploads, new each time', async () => {
  const [first, second] = await Promise.all([daisiOrc('secrets'), daisiOrc('secrets')])
  const secrets: Record<string, string> = JSON.parse(first?.out ?? '')
  expect(Object.keys(secrets)).toEqual(['ORC_SECRET', 'SIGNING_KEYS', 'SETUP_TOKEN'])
  expect(JSON.parse(secrets['SIGNING_KEYS'] ?? '')).toMatchObject([
    { kty: 'OKP', crv: 'Ed25519', use: 'sig' },
  ])
  expect(second?.out).not.toBe(first?.out)
})

test('setup prints the operator token, once', async () => {
  const orc = await fakeManageServer()
  const run = await daisiOrc('setup', '--orc', orc.url, '--setup-token', 'x', '--name', 'me')
  expect(run).toMatchObject({ code: 0, out: expect.stringContaining('token-1') })
  expect(await daisiOrc('setup', '--orc', orc.url, '--setup-token', 'x')).toMatchObject({
    code: 8,
    errors: expect.stringContaining('conflict'),
  })
})

test('an Orc that is none is named as such', async () => {
  const server = createServer((_request, response) => void response.writeHead(502).end('<html>'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  expect(await daisiOrc('setup', '--orc', `http://127.0.0.1:${port}`, '--setup-token', 'x')).toMatchObject({
    code: 8,
  })
})

test.each([
  ['an unknown command', ['dance']],
  ['a listen address without port', ['serve', '--listen', 'localhost']],
  ['credits that are no number', ['--signup-grant', 'many']],
  ['a missing option', ['setup', '--orc', 'http://127.0.0.1:1']],
  ['an address that is no URL', ['setup', '--orc', 'localhost:8787x', '--setup-token', 'x']],
])('%s ends with the usage code', async (_, args) => {
  expect((await daisiOrc(...args)).code).toBe(2)
})

test('a state folder that is a file ends with the state code', async () => {
  const file = join(await temporaryFolder(), 'file')
  await writeFile(file, '')
  expect(await daisiOrc('serve', '--state', file)).toMatchObject({ code: 4, out: '' })
})
