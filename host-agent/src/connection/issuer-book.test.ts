import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { enrolByLogin } from '../setup/enrol-by-login.ts'
import { loadIdentity } from '../state/identity.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { FakeOrc } from '../testing/fake-orc.ts'
import { LinkSetup } from '../testing/link-setup.ts'
import { IssuerBook } from './issuer-book.ts'

const REAL = { url: 'https://real.test', issuer: 'https://name-of-the-real-one.test' }
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-issuers-'))
  await (await OrcRecordFile.open(folder, REAL.url)).update({ issuer: REAL.issuer, enrolled: true })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('[C2] an Orc that takes the name of one from an earlier run is given no proof, also when it is served alone', async () => {
  const orc = await FakeOrc.start({ issuer: REAL.issuer })
  await using setup = await LinkSetup.start({ orc, issuers: new IssuerBook(folder) })
  expect(await setup.ended).toMatchObject({ code: 'issuer_taken', exitCode: 5 })
  expect(orc.requests).toEqual(['GET /.well-known/daisi'])
})

test('[C2] nor at a login', async () => {
  const orc = await FakeOrc.start({ issuer: REAL.issuer })
  const screen = { code: () => {}, problem: () => {} }
  const target = { url: orc.url, pin: undefined }
  const order = { orc: target, stateFolder: folder, name: 'attic', network: undefined, clock: systemClock }
  const login = enrolByLogin(order, screen, new AbortController().signal)
  await expect(login).rejects.toMatchObject({ code: 'issuer_taken', exitCode: 5 })
  expect(orc.requests).toEqual(['GET /.well-known/daisi'])
  await orc.close()
})

test('an Orc that takes it only once it is connected is left', async () => {
  const orc = await FakeOrc.start()
  const identity = await loadIdentity(folder)
  orc.enrolled.add(identity.hostId)
  const issuers = new IssuerBook(folder)
  await using setup = await LinkSetup.start({ orc, identity, issuers, enrolmentToken: undefined })
  const connection = await orc.connection()
  await connection.next('hello')
  connection.send({ ...orc.welcome(connection.hostId), issuer: REAL.issuer })
  expect(await setup.ended).toMatchObject({ code: 'issuer_taken', exitCode: 5 })
})

test('what another process met meanwhile counts, and a broken file is an error', async () => {
  const book = new IssuerBook(folder)
  await book.refresh()
  expect(book.claim('https://later.test', 'https://evil.test')).toBeUndefined()
  await (await OrcRecordFile.open(folder, 'https://new.test')).update({ issuer: 'https://new-name.test' })
  await book.refresh()
  expect(book.claim('https://new-name.test', 'https://evil.test')).toBe('https://new.test')
  expect(book.claim('https://new-name.test', 'https://new.test')).toBeUndefined()
  await writeFile(join(folder, 'orcs', 'broken.json'), '{')
  await expect(book.refresh()).rejects.toMatchObject({ code: 'state_unusable', exitCode: 3 })
})

test('an empty state folder knows nobody', async () => {
  const empty = join(folder, 'empty')
  await mkdir(empty)
  const book = new IssuerBook(empty)
  await book.refresh()
  expect(book.claim(REAL.issuer, 'https://anybody.test')).toBeUndefined()
})
