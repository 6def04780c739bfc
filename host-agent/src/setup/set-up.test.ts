import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ControlServer } from '../control/control-server.ts'
import { createLogger } from '../log.ts'
import { ScriptedTarget } from '../testing/scripted-target.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { MODEL, sha256Of } from '../store/testing/store-setup.ts'
import { createCertificate } from '../testing/certificate.ts'
import { MODEL_PATH } from '../testing/model.ts'
import { TestServer } from '../engine/upstream/testing/test-server.ts'
import { needsSetup } from './needs-setup.ts'
import { NANO, SetupBench } from './testing/setup-bench.ts'

let bench: SetupBench
beforeEach(async () => {
  bench = await SetupBench.start()
})
afterEach(() => bench[Symbol.asyncDispose]())

/** The `code` with which a setup fails. */
function codeOf(setup: Promise<void>): Promise<unknown> {
  return setup.then(
    () => undefined,
    (error: unknown) => (error as { code?: string }).code,
  )
}

describe('a setup without questions', () => {
  test('enrols, downloads what does best here of the catalogue, and keeps all of it', async () => {
    const huge = { ...NANO, id: 'huge', aliases: [], sizeBytes: 1e15 }
    const vectors = { ...NANO, id: 'vectors', aliases: [], sizeBytes: NANO.sizeBytes + 1 }
    bench.orc.catalogue = [huge, { ...vectors, kinds: ['embedding'] }, NANO]
    expect(await needsSetup(bench.stateFolder)).toBe(true)
    await bench.setUp()
    expect(await needsSetup(bench.stateFolder)).toBe(false)
    expect(await bench.config()).toMatchObject({
      orcs: [{ url: bench.orc.url }],
      modelsFolder: bench.modelsFolder,
      gpu: false,
      settings: { schedule: [], onlyWhenIdle: null },
    })
    const { kinds, contextLength, defaultSampling, sha256 } = NANO
    expect(await bench.models()).toMatchObject([
      { id: 'nano', aliases: ['tiny'], kinds, contextLength, defaultSampling, sha256 },
    ])
    expect(bench.output.notes).toContain('Fetching Daisi Nano')
    // Nothing that steers a terminal.
    expect((bench.output.written + bench.output.notes).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    expect(bench.output.written + bench.output.notes).not.toContain(bench.orc.enrolmentToken)
  })

  test('the second time it asks for nothing, downloads nothing, and changes only what is said', async () => {
    await bench.setUp({ models: ['nano'], when: 'night' })
    const { orcs, settings } = await bench.config()
    const requests = bench.hub.seen.length
    await bench.setUp({ models: ['tiny'] })
    expect(await bench.config()).toMatchObject({ orcs, settings })
    await bench.setUp({ when: 'idle' })
    expect(bench.hub.seen.length).toBe(requests)
    expect(bench.orc.requests.filter((request) => request.endsWith('/enrol'))).toHaveLength(1)
    expect((await bench.config()).settings).toMatchObject({
      schedule: [],
      onlyWhenIdle: { noInputMinutes: 10 },
    })
    expect(await bench.models()).toHaveLength(1)
  })

  test('logs in by a code where there is no token', async () => {
    await bench.setUp({ token: undefined, network: 'home', models: ['nano'] })
    expect(bench.output.written).toContain('WDJB-MJHT')
    expect(bench.orc.login.request).toMatchObject({ network: 'home' })
    expect((await OrcRecordFile.open(bench.stateFolder, bench.orc.url)).value.enrolled).toBe(true)
  })

  test('takes files, addresses and servers, and asks no catalogue that is not there', async () => {
    bench.orc.catalogue = undefined
    const server = await TestServer.start({ 'GET /v1/models': { object: 'list', data: [{ id: 'mine' }] } })
    const text = `openai=${server.url}`
    const address = `${bench.hub.origin}/elsewhere.gguf`
    await bench.setUp({ models: [MODEL_PATH, address], servers: [text], when: 'always' })
    await server.close()
    expect((await bench.models()).map(({ id }) => id)).toEqual(['daisi-nano', 'elsewhere'])
    expect((await bench.config()).servers).toEqual([text])
    expect(bench.output.written).toContain('Serves mine')
  })
})

describe('a setup that cannot go on says so', () => {
  test.each([
    ['no Orc', 'no_orc', { orc: undefined }],
    ['an Orc over http: elsewhere', 'insecure_orc', { orc: 'http://orc.example' }],
    ['an address where nobody is', 'orc_unreachable', { orc: 'http://127.0.0.1:1' }],
    ['a token that is not known', 'enrolment_refused', { token: 'another' }],
    ['a model that is nowhere', 'unknown_model', { models: ['qwen'] }],
    ['a server of no kind', 'invalid_server', { servers: ['nonsense'] }],
  ])('%s: %s', async (_, code, given) => {
    expect(await codeOf(bench.setUp(given))).toBe(code)
    expect(await bench.models()).toEqual([])
  })

  test('neither catalogue nor model', async () => {
    bench.orc.catalogue = []
    expect(await codeOf(bench.setUp())).toBe('no_model')
    // What was done before is kept.
    expect((await bench.config()).orcs).toHaveLength(1)
    expect(await needsSetup(bench.stateFolder)).toBe(true)
  })

  test('a file that is another than the Orc recommends is not kept', async () => {
    bench.orc.catalogue = [{ ...NANO, sha256: sha256Of(Buffer.from('another')) }]
    expect(await codeOf(bench.setUp({ models: ['nano'] }))).toBe('hash_mismatch')
    expect(await bench.models()).toEqual([])
    expect(await bench.files()).toEqual([])
  })

  test('a configuration that cannot be read is left as it is', async () => {
    await writeFile(`${bench.stateFolder}/config.json`, '{')
    expect(await codeOf(bench.setUp())).toBe('config_unusable')
    expect(bench.orc.requests).toEqual([])
  })
})

test('a setup that is stopped while it downloads goes on where it was', async () => {
  const models = ['nano']
  const interrupted = new AbortController()
  bench.hub.answer = (request, response, number) => {
    if (number === 0) return bench.hub.send(request, response)
    const middle = Math.floor(MODEL.length / 2)
    response.writeHead(206, {
      'content-length': MODEL.length,
      'content-range': `bytes 0-${MODEL.length - 1}/${MODEL.length}`,
      etag: '"first"',
    })
    response.write(MODEL.subarray(0, middle))
    // Some more now and then, so that progress is told.
    let sent = middle
    const timer = setInterval(() => response.write(MODEL.subarray(sent, ++sent)), 10)
    response.on('close', () => clearInterval(timer))
  }
  bench.output.onWrite = () => {
    if (/downloading [1-9]/.test(bench.output.notes)) interrupted.abort()
  }
  expect(await codeOf(bench.setUp({ models }, interrupted.signal))).toBe('interrupted')
  expect((await bench.config()).orcs).toHaveLength(1)
  expect((await bench.files()).length).toBeGreaterThan(0)

  bench.hub.answer = (request, response) => bench.hub.send(request, response)
  bench.output.onWrite = () => {}
  bench.hub.seen.length = 0
  await bench.setUp({ token: 'used up', models })
  expect(await bench.models()).toMatchObject([{ sha256: NANO.sha256 }])
  const fetched = bench.hub.downloads.reduce(
    (sum, { range }) => sum + (range?.end ?? 0) - (range?.start ?? 0),
    0,
  )
  expect(fetched).toBeLessThan(MODEL.length)
})

test('beside a running agent, the agent does what is answered', async () => {
  const target = new ScriptedTarget()
  const server = await ControlServer.open(bench.stateFolder, target, createLogger('silent', 'json'))
  await bench.setUp({ models: ['tiny'], when: 'night' })
  await server.close()
  const { id, sha256, url: from, kinds, licence } = NANO
  expect(target.list).toMatchObject([{ id, aliases: ['tiny'], sha256, from, kinds, licence }])
  expect(target.wishes.schedule).toHaveLength(1)
  expect(bench.hub.seen).toEqual([])
})

describe('an Orc for whose certificate nobody vouches', () => {
  test('is refused unless its fingerprint is given, which is kept', async () => {
    const certificate = await createCertificate()
    await using secure = await SetupBench.start(certificate)
    expect(await codeOf(secure.setUp())).toBe('certificate_refused')
    expect(secure.orc.requests).toEqual([])
    expect((await secure.config()).orcs).toEqual([])
    const { pin: other } = await createCertificate()
    expect(await codeOf(secure.setUp({ pin: other }))).toBe('pin_mismatch')
    await secure.setUp({ pin: certificate.pin, models: ['nano'] })
    expect((await secure.config()).orcs).toMatchObject([{ url: secure.orc.url, pin: certificate.pin }])
    // The second time the configuration knows it.
    await secure.setUp()
  })
})
