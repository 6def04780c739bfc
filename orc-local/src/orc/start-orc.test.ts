import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import { identify } from '../process-identity.ts'
import { call, test } from '../testing/orc-fixture.ts'

/** A connection that ends when the process at the other side does. */
async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

test('serves, with its vars and secrets, and leaves no process behind', async ({ start }) => {
  const lines: string[] = []
  const orc = await start({ vars: { ORC_NAME: 'Café "A\\B"\nnext' }, log: (line) => lines.push(line) })
  expect(orc.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(await call(orc, '/vars')).toEqual({
    name: 'Café "A\\B"\nnext',
    grant: '10000',
    setup: orc.setupToken,
  })
  await orc.stop()
  expect(() => process.kill(orc.pid, 0)).toThrow()
  expect(lines).toEqual([])
})

test('a second start finds the same secrets, private to their owner', async ({ start, options }) => {
  const first = await start()
  await first.stop()
  const second = await start()
  expect(second.setupToken).toBe(first.setupToken)
  expect((await stat(options.stateDir)).mode & 0o777).toBe(0o700)
  for (const name of ['secrets.json', 'workerd.capnp', 'orc.lock']) {
    expect((await stat(join(options.stateDir, name))).mode & 0o777).toBe(0o600)
  }
  const secrets: Record<string, string> = JSON.parse(
    await readFile(join(options.stateDir, 'secrets.json'), 'utf8'),
  )
  const config = await readFile(join(options.stateDir, 'workerd.capnp'), 'utf8')
  for (const secret of Object.values(secrets)) expect(config).not.toContain(secret)
})

test('what was acknowledged survives kill -9', async ({ start }) => {
  const first = await start()
  let acknowledged = 0
  for (let count = 0; count < 20; count++) acknowledged = Number(await call(first, '/increment'))
  await first.kill()
  const second = await start()
  expect(await call(second, '/increment')).toBe(acknowledged + 1)
})

test('an open WebSocket does not keep it from stopping', async ({ start }) => {
  const orc = await start({ stopGraceMs: 50 })
  const socket = new WebSocket(orc.url.replace('http', 'ws'))
  await once(socket, 'open')
  const closed = once(socket, 'close')
  await orc.stop()
  await closed
  expect((await orc.exited).signal).toBe('SIGKILL')
})

test('a port in use is named, and the state folder is free again', async ({ start }) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await expect(start({ port })).rejects.toMatchObject({ code: 'port_in_use' })
  server.close()
  await expect(start({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'address_unavailable' })
  await start()
})

test('a state folder that is a file is refused and left as it is', async ({ start, dir }) => {
  const stateDir = join(dir, 'file')
  await writeFile(stateDir, 'mine')
  await expect(start({ stateDir })).rejects.toMatchObject({ code: 'state_broken' })
  await expect(start({ stateDir: join(stateDir, 'below') })).rejects.toMatchObject({ code: 'state_broken' })
  expect(await readFile(stateDir, 'utf8')).toBe('mine')
})

test('a broken secrets.json is refused and left as it is', async ({ start, options }) => {
  await mkdir(options.stateDir)
  const path = join(options.stateDir, 'secrets.json')
  for (const content of [
    '',
    '{"ORC_SECRET":',
    '{}',
    '{"ORC_SECRET":"AA","SIGNING_KEYS":"[]","SETUP_TOKEN":"x"}',
  ]) {
    await writeFile(path, content)
    await expect(start()).rejects.toMatchObject({ code: 'state_broken' })
    expect(await readFile(path, 'utf8')).toBe(content)
  }
})

test('lost secrets are not replaced when there is data', async ({ start, options }) => {
  await mkdir(join(options.stateDir, 'do/daisi-orc-D1Store'), { recursive: true })
  await expect(start()).rejects.toMatchObject({ code: 'state_broken' })
  expect(await readdir(options.stateDir)).not.toContain('secrets.json')
})

test('one Orc per state folder, also from another process', async ({ start, options }) => {
  const orc = await start()
  await expect(start()).rejects.toMatchObject({ code: 'state_locked' })
  await orc.kill()
  const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  await writeFile(join(options.stateDir, 'orc.lock'), JSON.stringify(identify(other.pid ?? 0)))
  await expect(start()).rejects.toMatchObject({ code: 'state_locked' })
  other.kill('SIGKILL')
  await once(other, 'exit')
  await start()
})

test('unusable programs are told apart', async ({ start, dir }) => {
  await expect(start({ workerScript: join(dir, 'missing.js') })).rejects.toMatchObject({ code: 'not_built' })
  const broken = join(dir, 'broken.js')
  await writeFile(broken, 'throw new Error("at start")')
  await expect(start({ workerScript: broken })).rejects.toMatchObject({ code: 'start_failed' })
  await writeFile(broken, 'export default { fetch: () => new Response(null, { status: 500 }) }')
  await expect(start({ workerScript: broken })).rejects.toMatchObject({ code: 'start_failed' })
})

test('workerd ends with its parent, even when that is killed', async ({ options }) => {
  const program = `
    const { startOrc } = await import(${JSON.stringify(join(import.meta.dirname, 'start-orc.ts'))})
    const orc = await startOrc(${JSON.stringify(options)})
    process.stdout.write(String(orc.port))
  `
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await once(parent.stdout, 'data')
  const socket = await openSocket(Number(port))
  const closed = once(socket, 'close')
  parent.kill('SIGKILL')
  await closed
})
