import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AcknowledgementClaims,
  DIRECT_LAST_ACKNOWLEDGEMENT_MS,
  DIRECT_REPORT_SECONDS,
  RECEIPT_TYPE,
  receiptClaims,
} from '@daisi/protocol'
import { decodeJwt, importJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { DirectConsumer } from '../testing/direct-consumer.ts'
import { DirectSetup, PROMPT } from '../testing/direct-setup.ts'
import { FakeOrc } from '../testing/fake-orc.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { newJobId, validClaims } from '../testing/token-signer.ts'
import { RESEND_MS } from './reporter.ts'

type Claims = Omit<AcknowledgementClaims, 'iat'>

function claimsOf(token: string, jobId: string, generatedTokens: number): Claims {
  const { aud, sid } = decodeJwt<{ sid: string }>(token)
  return { aud: String(aud), sid, jobId, promptTokens: 5, cachedTokens: 0, generatedTokens }
}

/** A job of three tokens, done. Acknowledged are as many as said. */
async function doJob(setup: DirectSetup, acknowledged: number): Promise<{ token: string; jobId: string }> {
  const token = await setup.token()
  const jobId = newJobId()
  const answering = setup.consumer.chat(token, setup.body(), { claims: { jti: jobId } })
  ;(await setup.engine.next()).start().delta('abc', 1, 2, 3).end()
  await (await answering).rest()
  if (acknowledged > 0) await setup.consumer.acknowledge(claimsOf(token, jobId, acknowledged))
  return { token, jobId }
}

/** What is on disk for the only Orc, or '' for nothing. */
async function bookText(stateFolder: string): Promise<string> {
  const folder = join(stateFolder, 'direct')
  const names = await readdir(folder).catch(() => [])
  const name = names.find((name) => name.startsWith('127.0.0.1') && name.endsWith('.json'))
  return name === undefined ? '' : readFile(join(folder, name), 'utf8')
}

describe('reports', () => {
  test('[D8][R1] token, last acknowledgement and receipt, as soon as everything is acknowledged', async () => {
    await using setup = await DirectSetup.start()
    const { token, jobId } = await doJob(setup, 3)
    const report = await setup.connection.next('direct-report')
    expect(report).toMatchObject({ jobId, sessionToken: token })
    expect(decodeJwt(report.acknowledgement)).toMatchObject(claimsOf(token, jobId, 3))
    const key = await importJWK({ ...setup.host.identity.publicKey }, 'EdDSA')
    const { payload } = await jwtVerify(report.receipt, key, {
      typ: RECEIPT_TYPE,
      audience: setup.orc.issuer,
    })
    expect(receiptClaims.parse(payload)).toMatchObject({ jobId, promptTokens: 5, generatedTokens: 3 })
  })

  test('[D8] the last acknowledgement is waited for, five seconds', async () => {
    const clock = new ManualClock(Date.now())
    await using setup = await DirectSetup.start({ clock })
    const { token, jobId } = await doJob(setup, 2)
    clock.advance(DIRECT_LAST_ACKNOWLEDGEMENT_MS)
    const report = await setup.connection.next('direct-report')
    expect(decodeJwt(report.acknowledgement)).toMatchObject(claimsOf(token, jobId, 2))
  })

  test('[D8] until then it is not reported, whatever else is', async () => {
    await using setup = await DirectSetup.start()
    const { token, jobId } = await doJob(setup, 2)
    const other = await doJob(setup, 3)
    expect((await setup.connection.next('direct-report')).jobId).toBe(other.jobId)
    await setup.consumer.acknowledge(claimsOf(token, jobId, 3))
    const report = await setup.connection.next('direct-report')
    expect(decodeJwt(report.acknowledgement)).toMatchObject(claimsOf(token, jobId, 3))
  })

  test('[D8] an acknowledgement after the Orc has noted the job changes nothing any more', async () => {
    const clock = new ManualClock(Date.now())
    await using setup = await DirectSetup.start({ clock })
    const { token, jobId } = await doJob(setup, 2)
    clock.advance(DIRECT_LAST_ACKNOWLEDGEMENT_MS)
    await setup.connection.next('direct-report')
    while (!(await bookText(setup.stateFolder)).includes(jobId)) await new Promise(setImmediate)
    setup.connection.send({ type: 'direct-noted', jobIds: [jobId] })
    while ((await bookText(setup.stateFolder)).includes(jobId)) await new Promise(setImmediate)
    expect((await setup.consumer.acknowledge(claimsOf(token, jobId, 3))).status).toBe(204)
    const other = await doJob(setup, 3)
    expect((await setup.connection.next('direct-report')).jobId).toBe(other.jobId)
  })

  test('[D8] a Consumer that leaves is reported with what it acknowledged', async () => {
    const clock = new ManualClock(Date.now())
    await using setup = await DirectSetup.start({ clock })
    const token = await setup.token()
    const jobId = newJobId()
    const answering = setup.consumer.chat(token, setup.body(), { claims: { jti: jobId } })
    const run = await setup.engine.next()
    run.start().delta('ab', 1, 2)
    const answer = await answering
    await answer.next()
    await answer.text()
    await setup.consumer.acknowledge(claimsOf(token, jobId, 1))
    const aborted = once(run.signal, 'abort')
    answer.leave()
    await aborted
    while ((await bookText(setup.stateFolder)) === '') await new Promise(setImmediate)
    clock.advance(DIRECT_LAST_ACKNOWLEDGEMENT_MS)
    const report = await setup.connection.next('direct-report')
    expect(decodeJwt(report.acknowledgement)).toMatchObject({ generatedTokens: 1 })
    expect(decodeJwt(report.receipt)).toMatchObject({ generatedTokens: 2 })
  })

  test('[D8] what nobody acknowledged is reported as that', async () => {
    const clock = new ManualClock(Date.now())
    await using setup = await DirectSetup.start({ clock })
    const { token, jobId } = await doJob(setup, 0)
    clock.advance(DIRECT_LAST_ACKNOWLEDGEMENT_MS)
    const report = await setup.connection.next('direct-report')
    expect(report).toMatchObject({ jobId, sessionToken: token, acknowledgement: '' })
    expect(decodeJwt(report.receipt)).toMatchObject({ generatedTokens: 3 })
  })

  test('[D8] an answer of which nothing was sent is not reported', async () => {
    await using setup = await DirectSetup.start()
    const answering = setup.consumer.chat(await setup.token(), setup.body())
    ;(await setup.engine.next()).start().end()
    await (await answering).rest()
    const { jobId } = await doJob(setup, 3)
    expect((await setup.connection.next('direct-report')).jobId).toBe(jobId)
  })

  test('[D8] a report comes again over the same connection, and after a reconnect, until it is noted', async () => {
    const clock = new ManualClock(Date.now())
    await using setup = await DirectSetup.start({ clock })
    const { jobId } = await doJob(setup, 3)
    await setup.connection.next('direct-report')
    while (!(await bookText(setup.stateFolder)).includes(jobId)) await new Promise(setImmediate)
    clock.advance(RESEND_MS)
    expect((await setup.connection.next('direct-report')).jobId).toBe(jobId)
    setup.connection.drop()
    while (setup.host.link.status.state !== 'waiting') await new Promise(setImmediate)
    clock.advance(1)
    const again = await setup.orc.welcomed()
    expect((await again.next('direct-report')).jobId).toBe(jobId)
    again.send({ type: 'direct-noted', jobIds: [jobId] })
    while ((await bookText(setup.stateFolder)).includes(jobId)) await new Promise(setImmediate)
  })

  test('[D8] without the Orc jobs are done all the same, and reported when it is back', async () => {
    const clock = new ManualClock(Date.now())
    await using setup = await DirectSetup.start({ clock })
    setup.connection.drop()
    while (setup.host.link.status.state !== 'waiting') await new Promise(setImmediate)
    const { jobId } = await doJob(setup, 3)
    clock.advance(1)
    const again = await setup.orc.welcomed()
    expect((await again.next('direct-report')).jobId).toBe(jobId)
  })

  test('[D8] a report that the Orc would not pay any more is forgotten', async () => {
    const clock = new ManualClock(Date.now())
    await using setup = await DirectSetup.start({ clock })
    const { jobId } = await doJob(setup, 3)
    while (!(await bookText(setup.stateFolder)).includes(jobId)) await new Promise(setImmediate)
    setup.connection.drop()
    while (setup.host.link.status.state !== 'waiting') await new Promise(setImmediate)
    clock.advance((300 + DIRECT_REPORT_SECONDS + 1) * 1000)
    await setup.orc.welcomed()
    while ((await bookText(setup.stateFolder)).includes(jobId)) await new Promise(setImmediate)
  })

  test('[D8] the book on disk is for its owner only, and has nothing of prompt and answer', async () => {
    await using setup = await DirectSetup.start()
    const { jobId } = await doJob(setup, 3)
    while (!(await bookText(setup.stateFolder)).includes(jobId)) await new Promise(setImmediate)
    const text = await bookText(setup.stateFolder)
    expect(text).not.toContain(PROMPT)
    expect(text).not.toContain('abc')
    const folder = join(setup.stateFolder, 'direct')
    for (const name of await readdir(folder))
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
  })

  test('[D8] a Host that is killed after a job reports it when it is started again', async () => {
    const stateFolder = await mkdtemp(join(tmpdir(), 'daisi-direct-'))
    const orc = await FakeOrc.start()
    const victim = spawn(
      process.execPath,
      [join(import.meta.dirname, '../testing/direct-victim.ts'), orc.url, stateFolder],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const dead = once(victim, 'exit')
    try {
      const { hostId } = await orc.welcomed()
      const [line] = (await once(victim.stdout, 'data')) as [Buffer]
      const consumer = await DirectConsumer.create()
      consumer.endpoint = line.toString().trim()
      const claims = {
        ...validClaims(hostId, orc.issuer, Date.now()),
        mode: 'direct',
        model: 'test-model',
      } as const
      const token = await orc.signer.sign({ ...claims, cnf: { jkt: consumer.thumbprint } })
      const jobId = newJobId()
      const messages = [{ role: 'user', content: PROMPT }]
      const body = JSON.stringify({ model: 'test-model', messages, stream: true, max_tokens: 50 })
      const answer = await consumer.chat(token, body, { claims: { jti: jobId } })
      await answer.next()
      await answer.text()
      await consumer.acknowledge(claimsOf(token, jobId, 2))
      await answer.rest()
      while (!/"acknowledgement":\s*"e/.test(await bookText(stateFolder))) await new Promise(setImmediate)
      victim.kill('SIGKILL')
      await dead
      await using setup = await DirectSetup.start({ orc, stateFolder })
      const report = await setup.connection.next('direct-report')
      expect(report).toMatchObject({ jobId, sessionToken: token })
      expect(decodeJwt(report.acknowledgement)).toMatchObject({ generatedTokens: 2 })
    } finally {
      victim.kill('SIGKILL')
      await dead
      await orc.close()
      await rm(stateFolder, { recursive: true, force: true })
    }
  })
})

describe('over restarts', () => {
  test('[D9] a revoked token stays revoked; [T7] Sessions count before the Orc can be reached', async () => {
    const orc = await FakeOrc.start()
    const stateFolder = await mkdtemp(join(tmpdir(), 'daisi-direct-'))
    const jti = newJobId()
    {
      const setup = await DirectSetup.start({ orc, stateFolder })
      setup.connection.send({ type: 'direct-revoked', tokenIds: [jti] })
      while (!(await bookText(stateFolder)).includes(jti)) await new Promise(setImmediate)
      await setup.stop()
    }
    await orc.close()
    await using setup = await DirectSetup.start({ orc, stateFolder, offline: true })
    const revoked = await setup.consumer.chat(await setup.token({ jti }), setup.body())
    expect([revoked.status, await revoked.errorCode()]).toEqual([401, 'token_invalid'])
    const { jobId } = await doJob(setup, 3)
    while (!(await bookText(stateFolder)).includes(jobId)) await new Promise(setImmediate)
  })
})
