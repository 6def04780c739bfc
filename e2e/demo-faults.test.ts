import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Demo, emptyFolder } from './support/demo.ts'

test('a port in use: exit code 3, and nothing but the port is at fault', async () => {
  const state = join(await emptyFolder(), 'demo')
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const demo = new Demo(['--once', '--state', state, '--port', String(port)])
  expect(await demo.exited).toEqual({ code: 3, signal: null })
  expect(demo.error).toContain(String(port))
  expect((await new Demo(['--once', '--state', state]).exited).code).toBe(0)
})

test('a state path that is a file: exit code 4, the file is as it was', async () => {
  const state = join(await emptyFolder(), 'file')
  await writeFile(state, 'mine')
  const demo = new Demo(['--once', '--state', state])
  expect(await demo.exited).toEqual({ code: 4, signal: null })
  expect(demo.error).toContain(state)
  expect(await readFile(state, 'utf8')).toBe('mine')
})

test('a missing model: exit code 5, and the next start works', async () => {
  const folder = await emptyFolder()
  const [state, model] = [join(folder, 'demo'), join(folder, 'no-such.gguf')]
  const demo = new Demo(['--once', '--state', state, '--model', model])
  expect(await demo.exited).toEqual({ code: 5, signal: null })
  expect(demo.error).toContain(model)
  expect((await new Demo(['--once', '--state', state]).exited).code).toBe(0)
})

test('a file that is no model: exit code 7 with the reason, and the next start works', async () => {
  const folder = await emptyFolder()
  const [state, model] = [join(folder, 'demo'), join(folder, 'broken.gguf')]
  await writeFile(model, 'not a model')
  const demo = new Demo(['--once', '--state', state, '--model', model])
  expect(await demo.exited).toEqual({ code: 7, signal: null })
  expect(demo.error).toContain('broken.gguf')
  expect((await new Demo(['--once', '--state', state]).exited).code).toBe(0)
})

test('broken files in the state folder: exit code 4, not a byte changed, repaired it works again', async () => {
  const state = join(await emptyFolder(), 'demo')
  expect((await new Demo(['--once', '--state', state]).exited).code).toBe(0)
  for (const name of ['orc/secrets.json', 'demo.json']) {
    const path = join(state, name)
    const whole = await readFile(path)
    // Cut off, as by a full disk: the worst that is still worth keeping.
    const broken = whole.subarray(0, whole.length / 2)
    await writeFile(path, broken)
    const demo = new Demo(['--once', '--state', state])
    expect(await demo.exited).toEqual({ code: 4, signal: null })
    expect(demo.error).toContain(path)
    expect(await readFile(path)).toEqual(broken)
    await writeFile(path, whole)
  }
  expect((await new Demo(['--once', '--state', state]).exited).code).toBe(0)
})

test('two demos in one folder: the second exits with 4 and the first goes on', async () => {
  const state = join(await emptyFolder(), 'demo')
  const first = new Demo(['--state', state])
  await first.ready()
  const second = new Demo(['--once', '--state', state])
  expect(await second.exited).toEqual({ code: 4, signal: null })
  expect(second.error).toContain(String(first.pid))
  expect(await first.end('SIGTERM')).toEqual({ code: 0, signal: null })
})

test('wrong arguments: exit code 2, and no folder is made', async () => {
  const state = join(await emptyFolder(), 'demo')
  const demo = new Demo(['--once', '--state', state, '--port', '70000'])
  expect(await demo.exited).toEqual({ code: 2, signal: null })
  expect(existsSync(state)).toBe(false)
})
