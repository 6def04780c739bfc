import { once } from 'node:events'
import { appendFile, chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DISCOVERY_PATH, PROTOCOL_VERSION } from '@daisi/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { doctorCommand } from '../commands/doctor.ts'
import { modelsCommand } from '../commands/models.ts'
import { ControlServer } from '../control/control-server.ts'
import { StateLock } from '../control/state-lock.ts'
import { createLogger } from '../log.ts'
import { agentConfig, writeAgentConfig } from '../state/agent-config.ts'
import { loadIdentity } from '../state/identity.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { createCertificate } from '../testing/certificate.ts'
import { MODEL_PATH } from '../testing/model.ts'
import { RecordedOutput } from '../testing/recorded-output.ts'
import { idleStatus, ScriptedTarget } from '../testing/scripted-target.ts'
import { FakeOrc } from '../testing/fake-orc.ts'
import type { Check } from './check.ts'
import { checkClock } from './clock-check.ts'
import { diagnose } from './diagnose.ts'
import { checkNode, checkOpenFiles } from './machine-checks.ts'
import { checkOrc, type OrcToCheck } from './orc-checks.ts'
import { checkServer } from './server-checks.ts'

const logger = createLogger('silent', 'json')
const patient = (): AbortSignal => AbortSignal.timeout(30_000)

let folder: string
let cleanUp: (() => Promise<unknown>)[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-doctor-'))
  cleanUp = [() => rm(folder, { recursive: true, force: true })]
})
afterEach(async () => {
  for (const clean of cleanUp.toReversed()) await clean()
})

const states = (checks: readonly Check[]): Record<string, Check['state']> =>
  Object.fromEntries(checks.map(({ name, state }) => [name, state]))

async function listen(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp.push(async () => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function startOrc(...options: Parameters<typeof FakeOrc.start>): Promise<FakeOrc> {
  const orc = await FakeOrc.start(...options)
  cleanUp.push(() => orc.close())
  return orc
}

/** The doctor as scripts see it. */
async function doctor(...args: string[]): Promise<{ checks: Check[]; exitCode: number | undefined }> {
  const output = new RecordedOutput()
  await doctorCommand(output).parseAsync([...args, '--json', '--state', folder], { from: 'user' })
  const { checks } = JSON.parse(output.written) as { checks: Check[] }
  return { checks, exitCode: output.exitCode }
}

describe('daisi-host doctor', () => {
  test('finds nothing wrong with a Host that works', async () => {
    const certificate = await createCertificate()
    const orc = await startOrc({ certificate })
    await loadIdentity(folder)
    await writeAgentConfig(folder, agentConfig.parse({ orcs: [{ url: orc.url, pin: certificate.pin }] }))
    await (await OrcRecordFile.open(folder, orc.url)).update({ enrolled: true, alias: 'quiet-fox' })
    await modelsCommand(new RecordedOutput()).parseAsync(['add', MODEL_PATH, '--state', folder], {
      from: 'user',
    })
    const before = await readdir(folder)
    const { checks, exitCode } = await doctor()
    expect(checks.filter(({ state }) => state === 'fail')).toEqual([])
    expect(exitCode).toBe(0)
    const found = states(checks)
    for (const name of ['node', 'state folder', 'identity', 'settings', 'engine', 'model daisi-nano'])
      expect(found).toHaveProperty([name], 'ok')
    for (const part of ['enrolment', 'name', 'port', 'certificate', 'answer', 'version', 'clock'])
      expect(found).toHaveProperty([`${orc.url} ${part}`], 'ok')
    expect(found).toHaveProperty(['agent'], 'warn')
    expect(await readdir(folder)).toEqual(before)
  })

  test('with a broken state, tells each thing that is wrong, and looks at the rest', async () => {
    await loadIdentity(folder)
    await mkdir(join(folder, 'orcs'))
    const orc = await startOrc()
    await writeFile(join(folder, 'config.json'), '{"slots": -1}')
    await writeFile(join(folder, 'models.json'), 'oh')
    await writeFile(join(folder, 'orcs', 'x.json'), '{}')
    await chmod(join(folder, 'identity.json'), 0o644)
    const { checks, exitCode } = await doctor('--quick', '--orc', orc.url)
    const found = states(checks)
    for (const name of ['settings', 'known orcs', 'identity', 'models'])
      expect(found).toHaveProperty([name], 'fail')
    expect(found).toHaveProperty([`${orc.url} answer`], 'ok')
    expect(found).not.toHaveProperty(['engine'])
    expect(exitCode).toBe(12)
    for (const { state, fix } of checks) if (state !== 'ok') expect(fix).toBeTruthy()
  })

  test('before the first start there is nothing to be afraid of, and nothing is made', async () => {
    const fresh = join(folder, 'none')
    const checks = await diagnose(fresh, [], { quick: true })
    expect(checks.filter(({ state }) => state === 'fail')).toEqual([])
    expect(states(checks)).toMatchObject({ 'state folder': 'warn', identity: 'warn', agent: 'warn' })
    expect(await readdir(folder)).toEqual([])
  })

  test('what takes too long is told, and does not keep the rest', async () => {
    const url = await listen(() => {})
    const output = await diagnose(folder, [{ url, pin: undefined }], {
      quick: true,
      networkMs: 50,
    })
    expect(states(output)).toMatchObject({ [url]: 'fail', node: 'ok' })
  })

  test('an agent that has the folder and does not answer is wrong, a dead one is not', async () => {
    const lock = await StateLock.acquire(folder)
    const agent = async () => states(await diagnose(folder, [], { quick: true }))['agent']
    expect(await agent()).toBe('fail')
    await lock.release()
    await writeFile(join(folder, 'agent.pid'), `${process.pid}\n`)
    expect(await agent()).toBe('warn')
  })

  test('for people, each problem comes with what to do', async () => {
    await writeFile(join(folder, 'config.json'), '{')
    const output = new RecordedOutput()
    await doctorCommand(output).parseAsync(['--quick', '--state', folder], { from: 'user' })
    expect(output.written).toMatch(/✗ settings: .*\n {4}→ .+\n/)
    expect(output.written).toMatch(/\n\d+ fine, \d+ to look at, 1 wrong\n$/)
  })
})

describe('models', () => {
  test('one that changed, one that is gone, and what a running agent says', async () => {
    for (const name of ['changed', 'gone', 'good']) {
      const path = join(folder, `${name}.gguf`)
      await copyFile(MODEL_PATH, path)
      await modelsCommand(new RecordedOutput()).parseAsync(['add', path, '--state', folder], { from: 'user' })
    }
    await appendFile(join(folder, 'changed.gguf'), 'x')
    await rm(join(folder, 'gone.gguf'))
    const target = new ScriptedTarget()
    target.state = idleStatus({
      version: '0.0.1',
      problems: [{ code: 'schedule', message: 'outside its hours' }],
    })
    const server = await ControlServer.open(folder, target, logger)
    cleanUp.push(() => server.close())
    expect(states((await doctor('--quick')).checks)).toMatchObject({
      'model changed': 'fail',
      'model gone': 'fail',
      'model good': 'ok',
      agent: 'warn',
      'agent: schedule': 'warn',
    })
  })
})

describe('the way to an Orc', () => {
  const look = async (orc: Partial<OrcToCheck> & { url: string }): Promise<Record<string, string>> => {
    const checks = await checkOrc({ pin: undefined, record: undefined, ...orc }, patient())
    return Object.fromEntries(checks.map(({ name, state }) => [name.replace(`${orc.url} `, ''), state]))
  }

  test('a name that leads nowhere ends it', async () => {
    const url = `https://${'x'.repeat(64)}.test`
    expect(await look({ url })).toEqual({ enrolment: 'warn', name: 'fail' })
  })

  test('so does a port at which nobody listens', async () => {
    const orc = await FakeOrc.start()
    await orc.close()
    expect(await look({ url: orc.url })).toEqual({ enrolment: 'warn', name: 'ok', port: 'fail' })
  })

  test('a certificate that nobody vouches for, and one that is not the pinned one', async () => {
    const [certificate, other] = [await createCertificate(), await createCertificate()]
    const { url } = await startOrc({ certificate })
    expect(await look({ url })).toMatchObject({ port: 'ok', answer: 'fail' })
    expect(await look({ url, pin: other.pin })).toMatchObject({ port: 'ok', certificate: 'fail' })
  })

  test('something else that answers', async () => {
    const url = await listen((_, response) => response.writeHead(404).end('<html>'))
    expect(await look({ url })).toMatchObject({ port: 'ok', answer: 'fail' })
  })

  test.each([
    ['too new', { version: PROTOCOL_VERSION + 2, minimum: PROTOCOL_VERSION + 1 }],
    ['too old', { version: 1, minimum: 1 }],
  ])('an Orc that is %s, with a clock that is an hour behind', async (_, host_protocol) => {
    const orc = await startOrc()
    const document = (await (await fetch(orc.url + DISCOVERY_PATH)).json()) as object
    const url = await listen((_request, response) => {
      response.setHeader('date', new Date(Date.now() - 3_600_000).toUTCString())
      response.end(JSON.stringify({ ...document, host_protocol }))
    })
    expect(await look({ url })).toMatchObject({ answer: 'ok', version: 'fail', clock: 'fail' })
  })
})

test.each([
  [0, 'ok'],
  [-3, 'ok'],
  [3, 'ok'],
  [20, 'fail'],
  [3_600, 'fail'],
  [-20, 'warn'],
  [-3_600, 'fail'],
])("an Orc's clock that is %i s ahead: %s", (seconds, state) => {
  const now = Date.parse('2026-06-01T12:00:00Z')
  const header = new Date(now + seconds * 1000).toUTCString()
  const check = checkClock('https://orc.test', header, now, now + 200)
  expect(check.state).toBe(state)
  if (Math.abs(seconds) === 3_600) expect(check.detail).toMatch(/1 h |59 min/)
})

test('a clock that is not told is no problem', () => {
  expect(checkClock('https://orc.test', null, 0, 0).state).toBe('ok')
})

test('Node and open files', () => {
  expect(checkNode('22.18.0').state).toBe('fail')
  expect(checkNode('24.1.0').state).toBe('ok')
  expect(checkOpenFiles(256).state).toBe('warn')
  expect(checkOpenFiles(65_536).state).toBe('ok')
  expect(checkOpenFiles().detail).toMatch(/at once|limit/)
})

test("the owner's servers", async () => {
  const url = await listen((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'tiny', object: 'model' }] }))
  })
  const stateOf = async (text: string): Promise<string | undefined> =>
    (await checkServer(text, logger, patient()))[0]?.state
  expect(await stateOf(`openai=${url}#context=512`)).toBe('ok')
  expect(await stateOf('openai=http://127.0.0.1:9')).toBe('fail')
  expect(await stateOf('nonsense')).toBe('fail')
})
