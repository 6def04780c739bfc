import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
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
  ['a pin that is none', ['setup', '--orc', 'https://127.0.0.1:1', '--setup-token', 'x', '--pin', 'ab:cd']],
  [
    'a pin without TLS',
    ['setup', '--orc', 'http://127.0.0.1:1', '--setup-token', 'x', '--pin', 'ab'.repeat(32)],
  ],
  ['half a certificate', ['serve', '--tls-cert', 'c.pem']],
  ['a private Orc that is open', ['serve', '--private', '--sign-up', 'open']],
  ['a backup to nowhere', ['backup']],
  ['keys of two places', ['rotate-keys', '--state', 'a', '--secrets-file', 'b']],
  ['an address that is no URL', ['setup', '--orc', 'localhost:8787x', '--setup-token', 'x']],
])('%s ends with the usage code', async (_, args) => {
  expect((await daisiOrc(...args)).code).toBe(2)
})

test('a state folder that is a file ends with the state code', async () => {
  const file = join(await temporaryFolder(), 'file')
  await writeFile(file, '')
  expect(await daisiOrc('serve', '--state', file)).toMatchObject({ code: 4, out: '' })
})

test('rotate-keys changes the keys in a file and nothing else, and refuses what is no file of secrets', async () => {
  const file = join(await temporaryFolder(), 'secrets.json')
  await daisiOrc('secrets', '--out', file)
  const read = async (): Promise<Record<string, string>> => JSON.parse(await readFile(file, 'utf8'))
  const kids = (secrets: Record<string, string>): string[] =>
    JSON.parse(secrets['SIGNING_KEYS'] ?? '').map((key: { readonly kid: string }) => key.kid)
  const before = { ...(await read()), EMAIL_TOKEN: 'mine' }
  await writeFile(file, JSON.stringify(before))
  expect((await daisiOrc('rotate-keys', '--secrets-file', file)).code).toBe(0)
  const after = await read()
  expect({ ...after, SIGNING_KEYS: '' }).toEqual({ ...before, SIGNING_KEYS: '' })
  const [signing, next] = kids(before)
  expect(kids(after)).toEqual([next, expect.any(String), signing])
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await daisiOrc('rotate-keys', '--secrets-file', file, '--emergency')).code).toBe(0)
  const last = kids(await read())
  expect(last).toHaveLength(2)
  expect(last.filter((kid) => kids(after).includes(kid))).toEqual([])
  await writeFile(file, '{}')
  expect(await daisiOrc('rotate-keys', '--secrets-file', file)).toMatchObject({ code: 4, out: '' })
  expect(await readFile(file, 'utf8')).toBe('{}')
})

test('neither keys nor copies are made of what is no state folder', async () => {
  const dir = await temporaryFolder()
  const missing = join(dir, 'missing')
  expect(await daisiOrc('rotate-keys', '--state', missing)).toMatchObject({ code: 4, out: '' })
  expect(await daisiOrc('backup', '--state', missing, '--out', join(dir, 'copy'))).toMatchObject({
    code: 4,
    out: '',
  })
  expect(await readdir(dir)).toEqual([])
})
