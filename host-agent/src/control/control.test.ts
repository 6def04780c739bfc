import { once } from 'node:events'
import { link, mkdir, mkdtemp, rename, rm, stat, symlink } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { createLogger } from '../log.ts'
import { idleStatus, ScriptedTarget } from '../testing/scripted-target.ts'
import { controlAddresses } from './control-address.ts'
import { ControlClient } from './control-client.ts'
import { ControlServer } from './control-server.ts'
import type { ControlEvent, ModelProgress } from './control-wire.ts'

const logger = createLogger('silent', 'json')

let root: string
let folder: string
let target: ScriptedTarget
let server: ControlServer | undefined
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'daisi-control-'))
  folder = join(root, 'state')
  await mkdir(folder, { mode: 0o700 })
  target = new ScriptedTarget()
})
afterEach(async () => {
  await server?.close()
  server = undefined
  await rm(root, { recursive: true, force: true })
})

async function start(stateFolder = folder): Promise<ControlClient> {
  server = await ControlServer.open(stateFolder, target, logger)
  return new ControlClient(stateFolder)
}

async function socketPath(stateFolder = folder): Promise<string> {
  return (await controlAddresses(stateFolder))[0]!.path
}

/** What the agent answers to the bytes of a request, until it closes. */
async function raw(...parts: readonly string[]): Promise<string> {
  const socket = connect(await socketPath())
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => {})
  for (const part of parts) socket.write(part)
  await new Promise((resolve) => socket.on('close', resolve))
  return Buffer.concat(chunks).toString()
}

describe('the control socket', () => {
  test('carries the commands of the owner', async () => {
    const client = await start()
    expect(await client.isRunning()).toBe(true)
    await client.pause()
    expect(await client.status()).toMatchObject({ pid: process.pid, reason: 'paused' })
    await client.resume()
    await client.drain()
    await client.stop()
    expect(target.calls).toEqual(['pause', 'resume', 'drain', 'stop'])
    expect((await client.status()).reason).toBe('draining')
  })

  test('says why a command did not work', async () => {
    const client = await start()
    target.broken = { ok: false, code: 'config_unusable', message: 'put config.json right' }
    await expect(client.pause()).rejects.toMatchObject({ code: 'config_unusable' })
    target.models = () => Promise.reject(new FatalError(ExitCode.State, 'state_unusable', 'put it right'))
    await expect(client.models()).rejects.toMatchObject({ code: 'state_unusable' })
    expect(await client.isRunning()).toBe(true)
  })

  test('changes settings at once, and says why it does not', async () => {
    const client = await start()
    expect(await client.settings()).toMatchObject({ maxConcurrency: null })
    expect(await client.applySettings({ maxConcurrency: 2 })).toMatchObject({ maxConcurrency: 2 })
    expect(target.wishes.maxConcurrency).toBe(2)
    await expect(client.applySettings({ maxConcurrency: -1 })).rejects.toMatchObject({
      code: 'invalid_settings',
      exitCode: 12,
    })
    expect(target.wishes.maxConcurrency).toBe(2)
  })

  test('adds a model, telling how far it is, lists and removes it', async () => {
    const client = await start()
    target.download = async (onProgress) => {
      for (const bytes of [10, 20])
        onProgress({ phase: 'downloading', bytes, totalBytes: 20, bytesPerSecond: 5 })
    }
    const seen: ModelProgress[] = []
    const added = await client.addModel(
      { reference: 'hf:user/repo:q4', id: 'org/model:7b' },
      (progress) => seen.push(progress),
      AbortSignal.timeout(10_000),
    )
    expect(added).toEqual({ id: 'org/model:7b', aliases: [], from: 'hf:user/repo:q4' })
    expect(seen.map(({ bytes }) => bytes)).toEqual([10, 20])
    expect(await client.models()).toEqual([added])
    await client.removeModel('org/model:7b', { deleteFile: false })
    expect(target.calls).toEqual(['remove org/model:7b'])
    await expect(client.removeModel('org/model:7b', { deleteFile: true })).rejects.toMatchObject({
      code: 'unknown_model',
    })
    const failing = client.addModel({ reference: 'missing' }, () => {}, AbortSignal.timeout(10_000))
    await expect(failing).rejects.toMatchObject({ code: 'model_not_found', exitCode: 12 })
  })

  test('giving up an added model reaches the agent', async () => {
    const client = await start()
    const given = new AbortController()
    const aborted = new Promise<void>((resolve) => {
      target.download = (onProgress, signal) => {
        onProgress({ phase: 'downloading', bytes: 1, totalBytes: 20, bytesPerSecond: 5 })
        return new Promise((done) => {
          signal.addEventListener('abort', () => {
            resolve()
            done()
          })
        })
      }
    })
    const adding = client.addModel({ reference: 'a' }, () => given.abort(), given.signal)
    await expect(adding).rejects.toMatchObject({ code: 'interrupted', exitCode: 130 })
    await aborted
  })

  test('tells what happens, first the present status; a watcher that left is forgotten', async () => {
    const client = await start()
    const seen: ControlEvent[] = []
    for await (const event of client.events(AbortSignal.timeout(10_000))) {
      seen.push(event)
      if (seen.length === 1) target.emit({ type: 'activity', activity: { at: 1, kind: 'job', text: 'x' } })
      if (seen.length === 2) target.emit({ type: 'status', status: idleStatus({ reason: 'schedule' }) })
      if (seen.length === 3) break
    }
    expect(
      seen.map((event) => (event.type === 'status' ? event.status.reason : event.activity.text)),
    ).toEqual([undefined, 'x', 'schedule'])
    while (target.listeners.size > 0) await new Promise(setImmediate)
  })

  test('a watcher ends with the agent', async () => {
    const client = await start()
    for await (const _ of client.events(AbortSignal.timeout(10_000))) await server?.close()
    await expect(client.status()).rejects.toMatchObject({ code: 'not_running', exitCode: 10 })
  })

  test('a watcher that does not read is dropped, and nothing piles up', async () => {
    await start()
    const socket = connect(await socketPath())
    socket.pause()
    socket.write('GET /events HTTP/1.1\r\nhost: agent\r\n\r\n')
    while (target.listeners.size === 0) await new Promise(setImmediate)
    const text = 'x'.repeat(100_000)
    for (let sent = 0; sent < 40 && target.listeners.size > 0; sent += 1) {
      target.emit({ type: 'activity', activity: { at: 1, kind: 'job', text } })
      await new Promise(setImmediate)
    }
    expect(target.listeners.size).toBe(0)
    socket.destroy()
  })

  test('only its user can open it, and it is gone afterwards', async () => {
    await start()
    const path = await socketPath()
    expect(path).toBe(join(folder, 'control.sock'))
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await server?.close()
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a long path gets a socket elsewhere, which both sides find, also through a link', async () => {
    const long = join(root, 'x'.repeat(120))
    await mkdir(long)
    await symlink(long, join(root, 'link'))
    const client = await start(join(root, 'link'))
    expect(await client.status()).toMatchObject({ pid: process.pid })
    expect(await new ControlClient(long).status()).toMatchObject({ pid: process.pid })
    const path = await socketPath(long)
    expect(path).toBe(await socketPath(join(root, 'link')))
    expect(Buffer.byteLength(path)).toBeLessThan(100)
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700)
  })

  test('a dead socket in the way is replaced, and means that no agent runs', async () => {
    const path = await socketPath()
    const dead = createServer().listen(path)
    await once(dead, 'listening')
    await link(path, `${path}.left`)
    dead.close()
    await once(dead, 'close')
    await rename(`${path}.left`, path)
    expect((await stat(path)).isSocket()).toBe(true)
    const client = new ControlClient(folder)
    await expect(client.status()).rejects.toMatchObject({ code: 'not_running', exitCode: 10 })
    expect(await client.isRunning()).toBe(false)
    await start()
    expect(await client.isRunning()).toBe(true)
  })

  test.each([
    ['an unknown path', 'GET /etc HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 404],
    ['a wrong method', 'PUT /status HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 404],
    ['an odd address', 'GET //[ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 404],
    ['a malformed name', 'DELETE /models/%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 404],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a body that is no JSON', post('/models', '{'), 400],
    ['a body with unknown fields', post('/models', '{"reference":"a","run":"rm"}'), 400],
    ['a body of another type', post('/models', '[]'), 400],
    ['a body too large', post('/models', `"${'x'.repeat(1_100_000)}"`), 400],
  ])('survives %s', async (_, request, status) => {
    const client = await start()
    expect(await raw(request)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(await client.isRunning()).toBe(true)
    expect(target.list).toEqual([])
  })

  test('an agent of another version is told from one that is gone', async () => {
    const path = await socketPath()
    const other = createServer((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'),
    ).listen(path)
    await once(other, 'listening')
    const client = new ControlClient(folder)
    await expect(client.isRunning()).rejects.toMatchObject({ code: 'agent_silent' })
    other.close()
  })
})

function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}
