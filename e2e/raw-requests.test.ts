import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RawConnection } from '../fuzz/support/raw-http.ts'
import { type RunningOrc, startOrc } from '../orc-local/src/index.ts'

// What no client library sends, and a stranger can: byte for byte to a real Orc.
const CHUNK_BYTES = 5 * 1024 * 1024

let folder: string
let orc: RunningOrc
const lines: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-e2e-'))
  orc = await startOrc({
    stateDir: folder,
    port: 0,
    vars: { LOGIN_EMAIL: 'console' },
    log: (line) => lines.push(line),
  })
})

afterAll(async () => {
  await orc.kill()
  await rm(folder, { recursive: true, force: true })
})

test.each([
  ['two Host headers', ['host: a.example', 'host: b.example'], '{"email":"a@example.com"}'],
  ['a Host that is no address', ['host: %'], '{"email":"a@example.com"}'],
  ['a body that breaks off', ['host: HERE', 'content-length: 90'], '{"email":"a@exam'],
  [
    'chunks that are none',
    ['host: HERE', 'transfer-encoding: chunked'],
    'zz\r\n{"email":"a@example.com"}\r\n',
  ],
])('%s: refused as the fault of the request', async (_, headers, body) => {
  const here = new URL(orc.url)
  const known = headers.map((header) => header.replace('HERE', here.host))
  const length = known.some((header) => /length|encoding/.test(header))
    ? []
    : [`content-length: ${body.length}`]
  const common = ['content-type: application/json', `origin: ${here.origin}`]
  const head = ['POST /api/login/email HTTP/1.1', ...known, ...common, ...length]
  const connection = new RawConnection(orc.port)
  const exchange = await connection.exchange(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`), {
    isHead: false,
    thenEnd: true,
    patienceMs: 10_000,
  })
  connection.close()
  expect(exchange).toMatchObject({ kind: 'answered', answer: { status: 400 } })
  expect(lines.filter((line) => line.includes('request_failed'))).toEqual([])
})

test('a length that hides a larger body makes no more of it be read', async () => {
  const here = new URL(orc.url)
  const head = [
    'POST /api/login/email HTTP/1.1',
    `host: ${here.host}`,
    `origin: ${here.origin}`,
    'content-type: application/json',
    'content-length: 2',
    'transfer-encoding: chunked',
  ].join('\r\n')
  const chunk = `${CHUNK_BYTES.toString(16)}\r\n${' '.repeat(CHUNK_BYTES)}\r\n0\r\n\r\n`
  const connection = new RawConnection(orc.port)
  const exchange = await connection.exchange(Buffer.from(`${head}\r\n\r\n${chunk}`), {
    isHead: false,
    thenEnd: false,
    patienceMs: 10_000,
  })
  connection.close()
  const status = exchange.kind === 'answered' ? exchange.answer.status : exchange.kind
  expect([413, 'cut']).toContain(status)
})

test('HEAD opens no socket of a Host, whatever it shows', async () => {
  const head = [
    'HEAD /host/v1/connect HTTP/1.1',
    `host: ${new URL(orc.url).host}`,
    'authorization: Bearer x',
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  const connection = new RawConnection(orc.port)
  const exchange = await connection.exchange(Buffer.from(`${head.join('\r\n')}\r\n\r\n`), {
    isHead: true,
    thenEnd: false,
    patienceMs: 10_000,
  })
  connection.close()
  expect(exchange).toMatchObject({ kind: 'answered', answer: { status: 426 } })
})
