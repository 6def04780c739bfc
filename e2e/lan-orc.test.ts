import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AccountCreated, AccountView, HostList, KeyCreated } from '@daisi/protocol'
import { Daisi } from 'daisi-sdk'
import { pinnedFetch } from 'daisi-sdk/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from './support/direct.ts'
import { goldenConversations } from './support/golden.ts'
import { Host } from './support/host.ts'
import { LanOrc, Login, newAccount, newKey } from './support/lan.ts'
import { ORC_PROGRAM } from './support/paths.ts'
import { Program } from './support/program.ts'

const MODEL = 'daisi-nano'
const ASK_OPENAI = fileURLToPath(new URL('./support/ask-openai.ts', import.meta.url))
const [{ turns }] = goldenConversations() as [ReturnType<typeof goldenConversations>[number]]
const [{ user: QUESTION, answer: ANSWER }] = turns as [(typeof turns)[number]]

let folder: string
let port: number
let orc: LanOrc
let host: Host | undefined
let operatorToken: string
let account: AccountCreated
let labKey: KeyCreated

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-lan-'))
  port = await freePort()
  orc = await LanOrc.start(join(folder, 'orc'), port)
  operatorToken = await orc.setUp()
  account = await newAccount(orc, operatorToken, 'lab')
  await orc.api(account.token).post('/api/networks', { name: 'lab' })
  labKey = await newKey(orc.api(account.token), ['lab'])
})
afterAll(async () => {
  await host?.[Symbol.asyncDispose]()
  await orc?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function pinnedClient({ key }: KeyCreated, pin = orc.pin): Daisi {
  return new Daisi({ baseURL: `${orc.url}/v1`, apiKey: key, maxRetries: 0, fetch: pinnedFetch(pin) })
}

async function ask(client: Daisi): Promise<string> {
  const messages = [{ role: 'user', content: QUESTION }] as const
  const answer = await client.chat.create({ model: MODEL, temperature: 0, messages }, { network: 'lab' })
  return answer.choices[0]?.message.content ?? ''
}

test('a machine joins a private Network by its owner’s approval, and speaks to no Orc with another certificate', async () => {
  const stateDir = join(folder, 'host')
  const options = ['--orc', orc.url, '--state', stateDir, '--network', 'lab', '--name', 'attic']
  const deceived = new Login([...options, '--pin', `sha256:${'0'.repeat(64)}`])
  expect(await deceived.exited).toMatchObject({ code: 5 })
  expect(await deceived.said('failed')).toMatchObject({ code: 'pin_mismatch' })

  const login = new Login([...options, '--pin', orc.pin])
  const { userCode, hostId } = await login.said('code')
  const owner = orc.api(account.token)
  const asking = await owner.post<object>('/api/device/lookup', { user_code: userCode })
  expect(asking).toMatchObject({ host_id: hostId, host_name: 'attic', network: 'lab', address: '127.0.0.1' })
  await owner.post('/api/device/approve', { user_code: userCode })
  expect(await login.exited).toMatchObject({ code: 0 })
  expect(await login.said('enrolled')).toMatchObject({ hostId, networks: expect.arrayContaining(['lab']) })

  host = new Host({ orcUrl: orc.url, stateDir, args: ['--pin', orc.pin] })
  await host.logged('online')
  const { hosts } = await owner.get<HostList>('/api/hosts')
  expect(hosts).toMatchObject([{ id: hostId, name: 'attic', online: true }])
})

test('an app of OpenAI’s client that trusts the certificate, and one of ours that pins it, are answered right', async () => {
  const trusting = new Program(ASK_OPENAI, [`${orc.url}/v1`, labKey.key, MODEL, QUESTION], {
    NODE_EXTRA_CA_CERTS: join(folder, 'orc/tls-certificate.pem'),
  })
  const { code } = await trusting.exited
  expect([code, trusting.out.at(-1)]).toEqual([0, JSON.stringify(ANSWER)])
  expect(await ask(pinnedClient(labKey))).toBe(ANSWER)

  const unaware = new Program(ASK_OPENAI, [`${orc.url}/v1`, labKey.key, MODEL, QUESTION])
  expect((await unaware.exited).code).toBe(1)
  await expect(ask(pinnedClient(labKey, '0'.repeat(64)))).rejects.toMatchObject({ code: 'connection_error' })
})

test('[N1] who has not that Network is told the same as of one that does not exist', async () => {
  const stranger = await newAccount(orc, operatorToken, 'stranger')
  const others = [
    await newKey(orc.api(account.token), ['public']),
    await newKey(orc.api(stranger.token), ['public']),
  ]
  for (const key of others)
    for (const network of ['lab', 'no-such-network']) {
      const request = pinnedClient(key).chat.create(
        { model: MODEL, messages: [{ role: 'user', content: 'Hi' }] },
        { network },
      )
      await expect(request).rejects.toMatchObject({ code: 'network_not_allowed', status: 403 })
    }
  for (const network of ['lab', 'no-such-network'])
    await expect(newKey(orc.api(stranger.token), [network])).rejects.toMatchObject({
      code: 'network_not_allowed',
    })
})

test('a copy made while chats run is the same Orc: same certificate, accounts, keys and Hosts, and a book without fault', async () => {
  const copy = join(folder, 'copy')
  const backup = new Program(ORC_PROGRAM, ['backup', '--state', join(folder, 'orc'), '--out', copy])
  const answers: string[] = []
  const over = new AbortController()
  const talk = async (): Promise<void> => {
    while (!over.signal.aborted) answers.push(await ask(pinnedClient(labKey)))
  }
  const talks = Promise.all([talk(), talk()])
  const { code } = await backup.exited
  over.abort()
  await talks
  expect([code, backup.err]).toEqual([0, []])
  expect(new Set(answers)).toEqual(new Set([ANSWER]))
  expect(await orc.faults(operatorToken)).toBe(0)
  const { fingerprint } = orc
  await orc.end('SIGKILL')

  orc = await LanOrc.start(copy, port)
  expect(orc.fingerprint).toBe(fingerprint)
  expect(orc.out.join('\n')).not.toContain('setup-token')
  await host?.logged('online', 2)
  expect(await ask(pinnedClient(labKey))).toBe(ANSWER)
  const view = await orc.api(account.token).get<AccountView>('/api/account')
  expect(view).toMatchObject({ id: account.id, name: 'lab', operator: false })
  expect(await orc.faults(operatorToken)).toBe(0)
})
