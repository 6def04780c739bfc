import { readFile } from 'node:fs/promises'
import type { DirectGrant, DirectRequest } from '@daisi/protocol'
import type { Fetch } from 'daisi-sdk'
import type { Page as Tab } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DirectSetup } from '../host-agent/src/testing/direct-setup.ts'
import { TEXT } from '../sdk/test/answers.ts'
import { behindServer } from '../sdk/test/behind-server.ts'
import { FakeHost } from '../sdk/test/fake-host.ts'
import { FakeOrc, json, KEY } from '../sdk/test/fake-orc.ts'
import { thumbprintOf } from '../sdk/test/jws.ts'
import { noBrowser } from './support/browser.ts'
import {
  EXPECTED,
  type Host,
  HOSTS,
  LanScene,
  lanAddress,
  type Page,
  renderTable,
} from './support/browser-lan.ts'

/** What the page of `LanScene` loads. */
type Sdk = Pick<typeof import('daisi-sdk'), 'Daisi'> &
  Pick<typeof import('daisi-sdk/direct'), 'connectDirect'>

const guide = new URL('../docs/direct-connections.md', import.meta.url)
const pages = Object.keys(EXPECTED) as Page[]

test('the user guide has the table that is tested here', async () => {
  expect(await readFile(guide, 'utf8')).toContain(renderTable())
})

describe.skipIf(noBrowser !== undefined || lanAddress === undefined)('in Chromium', () => {
  let scene: LanScene
  let host: FakeHost
  let orc: FakeOrc
  /** What answers the pages as their Orc. */
  let asOrc: Fetch

  beforeAll(async () => {
    scene = await LanScene.start(
      lanAddress ?? '',
      behindServer({ fetch: (...asked) => asOrc(...asked) }, () => 'http://orc.test'),
      behindServer({ fetch: (...asked) => host.fetch(...asked) }, () => host.endpoint),
    )
  })
  afterAll(() => scene?.[Symbol.asyncDispose]())
  beforeEach(() => connectTo('http loopback'))

  /** The Host that the Orc names next. */
  function connectTo(which: Host): void {
    host = new FakeHost(scene.hosts[which])
    orc = new FakeOrc(host)
    asOrc = orc.fetch
    scene.arrived.length = 0
  }

  async function open(page: Page, isAllowed: boolean): Promise<Tab & AsyncDisposable> {
    const context = await scene.browser.newContext()
    if (isAllowed) await context.grantPermissions(['local-network-access'])
    const tab = await context.newPage()
    await tab.goto(scene.pages[page])
    return Object.assign(tab, { [Symbol.asyncDispose]: () => context.close() })
  }

  /** Whether a page is answered by a Host, with the headers of a chat request. */
  async function reaches(tab: Tab, which: Host): Promise<boolean> {
    return await tab.evaluate(async (endpoint) => {
      const headers = { authorization: 'DPoP x', dpop: 'x', 'content-type': 'application/json' }
      const asked = fetch(`${endpoint}/v1/chat/completions`, {
        method: 'POST',
        headers,
        body: '{"model":"x"}',
      })
      return await asked.then(
        () => true,
        () => false,
      )
    }, scene.hosts[which])
  }

  /** What a page gets with the SDK, of so many answers at once, and which way the last one came. */
  async function chat(page: Page, { model = 'daisi-nano', answers = 1 } = {}): Promise<unknown> {
    await using tab = await open(page, true)
    return await tab.evaluate(
      async ({ apiKey, model, answers }) => {
        const { Daisi, connectDirect } = (globalThis as unknown as { sdk: Sdk }).sdk
        const daisi = new Daisi({ baseURL: location.origin, apiKey })
        const direct = await connectDirect(daisi, { model })
        const messages = [{ role: 'user', content: 'Hello' }] as const
        const request = { model, messages, max_tokens: 200 }
        const ask = async (): Promise<string> => (await direct.chat.stream(request)).text()
        const texts = await Promise.all(Array.from({ length: answers }, ask))
        await direct.close()
        return { texts, mode: direct.mode, failure: direct.failure?.code }
      },
      { apiKey: KEY, model, answers },
    )
  }

  test.each(pages)('a page from %s has keys where the guide says so', async (page) => {
    await using tab = await open(page, false)
    const found = await tab.evaluate(async () => {
      const made = await globalThis.crypto.subtle?.generateKey('Ed25519', false, ['sign', 'verify'])
      return { isSecureContext, keys: made !== undefined }
    })
    expect(found).toEqual({ isSecureContext: EXPECTED[page].keys, keys: EXPECTED[page].keys })
  })

  test.each(pages)('a page from %s reaches the Hosts that the guide says it does', async (page) => {
    await using usual = await open(page, false)
    await using allowed = await open(page, true)
    for (const which of Object.keys(HOSTS) as Host[]) {
      connectTo(which)
      const reach = EXPECTED[page][which]
      expect([await reaches(usual, which), await reaches(allowed, which)], which).toEqual([
        reach === 'yes',
        reach !== 'no',
      ])
      // Where it is reached the browser asks first, by CORS and by nothing else.
      const methods = scene.arrived.slice(0, 2).map(({ method }) => method)
      expect(methods, which).toEqual(reach === 'no' ? [] : ['OPTIONS', 'POST'])
      const asked = scene.arrived.flatMap(({ headers }) => headers)
      expect(asked).not.toContain('access-control-request-private-network')
    }
  })

  test.each(['http://localhost', 'https://LAN', 'https://public'] as const)(
    '[D2] [D6] the SDK in a page from %s: straight to the Host, acknowledged, without the key',
    async (page) => {
      connectTo('https trusted')
      host.words = Array.from({ length: 150 }, (_, index) => `word${index} `)
      expect(await chat(page)).toEqual({ texts: [host.words.join('')], mode: 'direct' })
      expect(host.acknowledgements.at(-1)).toMatchObject({ generatedTokens: 150 })
      expect(JSON.stringify(host.arrived)).not.toContain('daisi_sk_')
      expect(orc.seen.map(({ url }) => url.pathname)).not.toContain('/v1/chat/completions')
    },
  )

  test.each([
    ['https://public', 'https self-signed', 'connection_error'],
    ['http://localhost', 'https self-signed', 'connection_error'],
    ['http://LAN', 'https trusted', 'direct_unavailable'],
  ] as const)('[D7] the SDK in a page from %s, Host at %s: through the Orc', async (page, which, failure) => {
    connectTo(which)
    expect(await chat(page)).toEqual({ texts: [TEXT], mode: 'orchestrated', failure })
    expect(host.seen).toEqual([])
  })

  test('[D5] many answers at once leave connections for their acknowledgements', async () => {
    host.words = Array.from({ length: 150 }, (_, index) => `word${index} `)
    const found = (await chat('http://localhost', { answers: 12 })) as { texts: string[] }
    const whole = host.words.join('')
    expect(found.texts.filter((text) => text === whole)).toHaveLength(4)
    expect(found.texts.filter((text) => text === TEXT)).toHaveLength(8)
    expect(host.acknowledgements.filter(({ generatedTokens }) => generatedTokens === 150)).toHaveLength(4)
  })

  test('[D4] [D6] the SDK in a page, and the listener of a real Host', async () => {
    await using setup = await DirectSetup.start()
    asOrc = (_, { method, body }) => sessionAt(setup, method === 'DELETE' ? '' : (body as string))
    const chatting = chat('http://localhost', { model: 'test-model' })
    const run = await setup.engine.next()
    run.start(7, 2)
    for (let token = 0; token < 100; token += 1) run.delta('word ', token)
    run.end('stop')
    expect(await chatting).toEqual({ texts: ['word '.repeat(100)], mode: 'direct' })
  })
})

/** A Session with a Host that really listens, or the end of it. */
async function sessionAt(setup: DirectSetup, body: string): Promise<Response> {
  if (body === '') return json({ object: 'session' })
  const { direct } = JSON.parse(body) as { direct: DirectRequest }
  const token = await setup.token({ cnf: { jkt: await thumbprintOf(direct.key) } })
  const { sid, budget, exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const grant: DirectGrant = {
    object: 'direct_grant',
    host_alias: 'brave-otter',
    host_id: setup.connection.hostId,
    endpoint: setup.service.offer.endpoint,
    certificate_sha256: null,
    token,
    session_id: sid,
    model: direct.model,
    budget,
    expires_at: exp,
  }
  return json({ id: 'ses_1', object: 'session', network: null, direct: grant }, 201)
}
