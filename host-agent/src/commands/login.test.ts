import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseCertificatePin } from '../certificate-pin.ts'
import { agentConfig, readAgentConfig, writeAgentConfig } from '../state/agent-config.ts'
import { loadIdentity } from '../state/identity.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { createCertificate } from '../testing/certificate.ts'
import type { PollAnswer } from '../testing/fake-device-login.ts'
import { FakeOrc } from '../testing/fake-orc.ts'
import { InstantClock } from '../testing/instant-clock.ts'
import { LinkSetup } from '../testing/link-setup.ts'
import { logIn, type LoginOptions } from './login.ts'
import { humanScreen, jsonScreen } from '../setup/login-screen.ts'

let folder: string
let orc: FakeOrc
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-login-'))
  orc = await FakeOrc.start()
})
afterEach(async () => {
  await orc.close()
  await rm(folder, { recursive: true, force: true })
})

/** One login, with what it printed. Polls are as many as `answers`. */
async function login(
  answers: readonly PollAnswer[] = ['grant'],
  changes: Partial<LoginOptions> & {
    readonly signal?: AbortSignal
    readonly onLine?: () => void
  } = {},
) {
  const { signal = new AbortController().signal, onLine, ...options } = changes
  orc.login.answers = [...answers]
  const clock = new InstantClock()
  const lines: Record<string, unknown>[] = []
  const screen = jsonScreen((text) => {
    lines.push(JSON.parse(text) as Record<string, unknown>)
    onLine?.()
  })
  const command = { orc: [orc.url], stateFolder: folder, name: 'attic', ...options }
  const error: unknown = await logIn(command, screen, signal, clock).then(
    () => undefined,
    (failure: unknown) => failure,
  )
  return { lines, error, waitsSeconds: clock.waitsMs.map((ms) => ms / 1000) }
}

/** The polls that an Orc was asked. */
function polls(): number {
  return orc.requests.filter((request) => request === 'POST /oauth/token').length
}

describe('a login', () => {
  test('is remembered, so that run needs no address after it; settings stay as they are', async () => {
    const before = agentConfig.parse({ name: 'attic', orcs: [{ url: 'https://other.test' }] })
    await writeAgentConfig(folder, before)
    await login()
    await login()
    expect(await readAgentConfig(folder)).toEqual({
      ...before,
      orcs: [...before.orcs, { url: orc.url, insecure: false }],
    })
  })

  test('[C3] shows the code, waits, enrols, and run needs no token after it', async () => {
    const { hostId } = await loadIdentity(folder)
    const { lines, error } = await login(['authorization_pending', 'grant'], { network: 'home' })
    expect(error).toBeUndefined()
    expect(lines).toEqual([
      {
        event: 'code',
        userCode: 'WDJB-MJHT',
        verificationUri: `${orc.url}/device`,
        verificationUriComplete: `${orc.url}/device?user_code=WDJB-MJHT`,
        expiresInSeconds: 600,
        hostId,
      },
      { event: 'enrolled', orc: orc.url, hostId, alias: 'quiet-fox', networks: ['home'] },
    ])
    expect(orc.login.request).toEqual({
      client_id: 'daisi-host',
      host_id: hostId,
      host_name: 'attic',
      network: 'home',
    })
    await using setup = await LinkSetup.start({
      orc,
      identity: await loadIdentity(folder),
      record: await OrcRecordFile.open(folder, orc.url),
      enrolmentToken: undefined,
    })
    expect((await orc.welcomed()).hostId).toBe(hostId)
    setup.link.stop()
    await setup.ended
  })

  test('leaves network out if none is given, and names the machine', async () => {
    const command = { orc: [orc.url], stateFolder: folder }
    await logIn(
      command,
      jsonScreen(() => {}),
      new AbortController().signal,
      new InstantClock(),
    )
    expect(orc.login.request).not.toHaveProperty('network')
    expect(orc.login.request?.['host_name']?.length).toBeGreaterThan(0)
  })

  test('stores no token: what is on disk is the key and the record', async () => {
    await login()
    const files = await readdir(folder, { recursive: true, withFileTypes: true })
    for (const file of files.filter((entry) => entry.isFile()))
      expect(await readFile(join(file.parentPath, file.name), 'utf8')).not.toContain(orc.login.token)
  })

  test('goes to an Orc with a pinned certificate, and to no other', async () => {
    await orc.close()
    const certificate = await createCertificate()
    orc = await FakeOrc.start({ certificate })
    expect((await login(['grant'], { pin: [certificate.pin] })).error).toBeUndefined()
    const before = orc.requests.length
    const stranger = await createCertificate()
    expect((await login(['grant'], { pin: [stranger.pin] })).error).toMatchObject({ code: 'pin_mismatch' })
    expect(orc.requests).toHaveLength(before)
    expect((await login()).error).toMatchObject({ code: 'orc_unreachable', exitCode: 8 })
  })
})

describe('polling (RFC 8628 §3.5)', () => {
  test('waits the interval of the Orc before each poll', async () => {
    orc.login.grant = { interval: 7 }
    const { waitsSeconds } = await login(['authorization_pending', 'authorization_pending', 'grant'])
    expect(waitsSeconds).toEqual([7, 7, 7])
  })

  test('waits five seconds if the Orc names none', async () => {
    orc.login.grant = { interval: undefined }
    expect((await login(['authorization_pending', 'grant'])).waitsSeconds).toEqual([5, 5])
  })

  test('slow_down adds five seconds each time, and they stay', async () => {
    const answers: PollAnswer[] = ['slow_down', 'authorization_pending', 'slow_down', 'slow_down', 'grant']
    expect((await login(answers)).waitsSeconds).toEqual([5, 10, 10, 15, 20])
  })

  test('no answer doubles the wait each time, up to a minute, until there is one', async () => {
    const answers: PollAnswer[] = [
      'drop',
      'drop',
      'unavailable',
      'drop',
      'drop',
      'authorization_pending',
      'grant',
    ]
    const { waitsSeconds, error, lines } = await login(answers)
    expect(waitsSeconds).toEqual([5, 10, 20, 40, 60, 60, 5])
    expect(error).toBeUndefined()
    expect(lines.filter(({ event }) => event === 'problem').map(({ waitSeconds }) => waitSeconds)).toEqual([
      10, 20, 40, 60, 60,
    ])
  })

  test('ends by itself when the code is too old', async () => {
    orc.login.grant = { expires_in: 12 }
    const { error, waitsSeconds } = await login(Array<PollAnswer>(9).fill('authorization_pending'))
    expect(error).toMatchObject({ code: 'login_expired', exitCode: 7 })
    expect(waitsSeconds).toEqual([5, 5, 2])
    expect(polls()).toBe(2)
  })

  test.each([
    ['access_denied', 'login_denied', 5],
    ['expired_token', 'login_expired', 7],
    ['invalid_grant', 'login_refused', 5],
  ] as const)('%s ends it with %s', async (answer, code, exitCode) => {
    const { error, lines } = await login(['authorization_pending', answer, 'grant'])
    expect(error).toMatchObject({ code, exitCode })
    expect(polls()).toBe(2)
    expect(lines.map(({ event }) => event)).toEqual(['code'])
    expect(orc.enrolled.size).toBe(0)
  })

  test('Ctrl-C ends it at once, and nothing more is asked', async () => {
    const interrupt = new AbortController()
    const { error } = await login(['authorization_pending'], {
      signal: interrupt.signal,
      onLine: () => interrupt.abort(),
    })
    expect(error).toMatchObject({ code: 'login_interrupted', exitCode: 130 })
    expect(polls()).toBe(0)
  })
})

describe('what an Orc may not do', () => {
  test.each([
    ['another issuer', { issuer: 'https://evil.test' }],
    ['a token endpoint elsewhere', { token_endpoint: 'http://127.0.0.1:1/token' }],
    ['a device endpoint elsewhere', { device_authorization_endpoint: 'https://evil.test/device' }],
    ['no token endpoint', { token_endpoint: undefined }],
    ['no device endpoint', { device_authorization_endpoint: undefined }],
    ['an endpoint that is no address', { token_endpoint: 'javascript:alert(1)' }],
  ])('name %s in its metadata (RFC 8414 §3.3)', async (_, metadata) => {
    orc.login.metadata = metadata
    expect((await login()).error).toMatchObject({ code: 'login_unsupported', exitCode: 5 })
    expect(orc.requests.filter((request) => request.startsWith('POST'))).toEqual([])
  })

  test.each([
    ['an address for people that is none', { verification_uri: 'javascript:alert(1)' }],
    ['a complete address that is none', { verification_uri_complete: 'file:///etc/passwd' }],
    ['no code', { user_code: undefined }],
    ['no end', { expires_in: undefined }],
    ['a negative interval', { interval: -1 }],
  ])('answer with %s', async (_, grant) => {
    orc.login.grant = grant
    expect((await login()).error).toMatchObject({ code: 'login_unsupported', exitCode: 5 })
    expect(polls()).toBe(0)
  })

  test('change its name, or hide that it did, before the owner is asked', async () => {
    await (await OrcRecordFile.open(folder, orc.url)).update({ issuer: 'https://known.test' })
    expect((await login()).error).toMatchObject({ code: 'issuer_changed', exitCode: 5 })
    expect(orc.login.request).toBeUndefined()
  })

  test('refuse: the reason is told', async () => {
    orc.login.refusal = { status: 400, error: 'invalid_request' }
    expect((await login()).error).toMatchObject({ code: 'login_refused', exitCode: 5 })
  })

  test('give another Host’s token: the enrolment is refused', async () => {
    const { error } = await login(['grant'], {
      onLine: () => {
        orc.login.request = { host_id: 'x'.repeat(43) }
      },
    })
    expect(error).toMatchObject({ code: 'enrolment_refused', exitCode: 5 })
    expect((await OrcRecordFile.open(folder, orc.url)).value.enrolled).toBe(false)
  })

  test('an Orc that is away', async () => {
    await orc.close()
    expect((await login()).error).toMatchObject({ code: 'orc_unreachable', exitCode: 8 })
  })

  test('a login is for one Orc', async () => {
    const { error } = await login(['grant'], { orc: [orc.url, 'https://b.test'] })
    expect(error).toMatchObject({ code: 'one_orc_only', exitCode: 2 })
  })
})

describe('the screen', () => {
  test('shows code and address to people, and no control character of the Orc', () => {
    let text = ''
    const screen = humanScreen(
      (part) => (text += part),
      (part) => (text += part),
    )
    const code = {
      userCode: 'AB\u001B[2JCD\u202E',
      verificationUri: 'https://orc.test/device',
      verificationUriComplete: undefined,
      expiresInSeconds: 600,
    }
    screen.code(code, 'host-id')
    const pin = parseCertificatePin('ab'.repeat(32))
    const target = { url: 'https://orc.test', pin, enrolmentToken: undefined }
    screen.enrolled({ hostId: 'host-id', alias: 'a\rb', networks: ['home'] }, target)
    expect(text).toContain('Enrolled at https://orc.test as a?b, in home')
    expect(text).toContain('https://orc.test/device')
    expect(text).toContain('AB?[2JCD?')
    expect(text).toContain('host-id')
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})
