import { RECEIPT_TYPE, receiptClaims } from '@daisi/protocol'
import { once } from 'node:events'
import { importJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { ORPHAN_DEADLINE_MS } from '../jobs/job-desk.ts'
import { LinkSetup } from '../testing/link-setup.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { newJobId } from '../testing/token-signer.ts'

describe('jobs', () => {
  test('[J2][J4][F3][R1] a job: accepted, frames, job-end with a receipt', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    const run = await setup.orc.run(connection.hostId)
    connection.send(run)
    const engineRun = await setup.engine.next()
    engineRun.start(7, 2).delta('Hel', 11).delta('lo', 12, 13).end('stop')
    const end = await connection.next('job-end')
    const types = connection.log
      .filter(({ type }) => !['status', 'hello', 'settings'].includes(type))
      .map(({ type }) => type)
    expect(types).toEqual(['accepted', 'frame', 'frame', 'job-end'])
    expect(connection.log.find(({ type }) => type === 'accepted')).toMatchObject({
      promptTokens: 7,
      cachedTokens: 2,
    })
    expect(connection.log.filter(({ type }) => type === 'frame')).toMatchObject([
      { sequence: 0, text: 'Hel', tokenIds: [11], jobId: run.jobId },
      { sequence: 1, text: 'lo', tokenIds: [12, 13] },
    ])
    const usage = { promptTokens: 7, cachedTokens: 2, generatedTokens: 3 }
    expect(end).toMatchObject({ outcome: 'completed', finishReason: 'stop', usage })
    const key = await importJWK({ ...setup.identity.publicKey }, 'EdDSA')
    const { payload } = await jwtVerify(end.receipt, key, {
      typ: RECEIPT_TYPE,
      issuer: setup.identity.hostId,
      audience: setup.orc.issuer,
    })
    expect(receiptClaims.parse(payload)).toMatchObject({
      jobId: run.jobId,
      ...usage,
      modelSha256: 'a'.repeat(64),
    })
  })

  test('[J5] cancel stops a running job', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    const run = await setup.orc.run(connection.hostId)
    connection.send(run)
    ;(await setup.engine.next()).start().delta('a', 1)
    await connection.next('frame')
    connection.send({ type: 'cancel', jobId: run.jobId })
    expect(await connection.next('job-end')).toMatchObject({
      outcome: 'cancelled',
      usage: { generatedTokens: 1 },
    })
  })

  test('[J3] a job beyond slots and queue is refused, a cancelled waiting one too, the others run in order', async () => {
    await using setup = await LinkSetup.start({ slots: 1, queue: 2 })
    const connection = await setup.orc.welcomed()
    const runs = await Promise.all([1, 2, 3, 4].map(() => setup.orc.run(connection.hostId)))
    for (const run of runs) connection.send(run)
    const first = await setup.engine.next()
    expect(await connection.next('refused')).toMatchObject({ jobId: runs[3]?.jobId, code: 'busy' })
    connection.send({ type: 'cancel', jobId: runs[1]?.jobId ?? '' })
    expect(await connection.next('refused')).toMatchObject({ jobId: runs[1]?.jobId, code: 'busy' })
    first.start().end()
    expect(await connection.next('job-end')).toMatchObject({ jobId: runs[0]?.jobId })
    ;(await setup.engine.next()).start().end('length')
    expect(await connection.next('job-end')).toMatchObject({ jobId: runs[2]?.jobId, finishReason: 'length' })
  })

  test('waiting jobs run in the order in which they came', async () => {
    await using setup = await LinkSetup.start({ slots: 1, queue: 40 })
    const connection = await setup.orc.welcomed()
    const runs = await Promise.all(Array.from({ length: 30 }, () => setup.orc.run(connection.hostId)))
    for (const run of runs) connection.send(run)
    const ended: string[] = []
    while (ended.length < runs.length) {
      ;(await setup.engine.next()).start().end()
      ended.push((await connection.next('job-end')).jobId)
    }
    expect(ended).toEqual(runs.map((run) => run.jobId))
  })

  test('[J6] without a connection a job is cancelled after the time of one reconnect', async () => {
    const clock = new ManualClock(Date.now())
    await using setup = await LinkSetup.start({ clock, random: () => 1 })
    const connection = await setup.orc.welcomed()
    connection.send(await setup.orc.run(connection.hostId))
    const engineRun = (await setup.engine.next()).start().delta('a', 1)
    await connection.next('frame')
    await setup.orc.close()
    while (setup.link.status.state !== 'waiting') await new Promise(setImmediate)
    clock.advance(400)
    expect(engineRun.signal.aborted).toBe(false)
    const aborted = once(engineRun.signal, 'abort')
    clock.advance(ORPHAN_DEADLINE_MS)
    await aborted
  })

  test('[J3] a context overflow is refused with its numbers', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    connection.send(await setup.orc.run(connection.hostId))
    const refusal = {
      code: 'context_length_exceeded',
      promptTokens: 120,
      contextLength: 100,
      message: 'too long',
    } as const
    ;(await setup.engine.next()).push({ type: 'refused', refusal })
    expect(await connection.next('refused')).toMatchObject(refusal)
  })

  test('[J4] an engine that fails ends the job as failed', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    connection.send(await setup.orc.run(connection.hostId))
    ;(await setup.engine.next()).start().delta('a', 1).push({ type: 'failed', message: 'crashed' })
    expect(await connection.next('job-end')).toMatchObject({
      outcome: 'failed',
      error: { code: 'engine_failed' },
    })
  })

  test('[F5][J7] credit reaches the engine, and credit for a forgotten job is ignored', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    const run = await setup.orc.run(connection.hostId, { windowBytes: 100 })
    connection.send(run)
    const engineRun = await setup.engine.next()
    expect(engineRun.job.windowBytes).toBe(100)
    engineRun.start().delta('a', 1)
    await connection.next('frame')
    connection.send({ type: 'credit', jobId: run.jobId, bytes: 77, ackedSequence: 0 })
    connection.send({ type: 'credit', jobId: newJobId(), bytes: 5, ackedSequence: 0 })
    connection.send({ type: 'cancel', jobId: run.jobId })
    await connection.next('job-end')
    expect(engineRun.grants).toEqual([77])
  })

  test('[T4] worst cases are set aside and what is not used comes back', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    const claims = { jti: 'one-token', budget: 40 }
    connection.send(await setup.orc.run(connection.hostId, {}, claims))
    const first = await setup.engine.next()
    first.start(5)
    await connection.next('accepted')
    connection.send(await setup.orc.run(connection.hostId, {}, claims))
    ;(await setup.engine.next()).start(5)
    expect(await connection.next('refused')).toMatchObject({ code: 'token_budget' })
    first.delta('a', 1).end()
    await connection.next('job-end')
    connection.send(await setup.orc.run(connection.hostId, {}, claims))
    ;(await setup.engine.next()).start(5).end()
    await connection.next('accepted')
  })

  test('[T5] an accepted job id is refused when it comes again; a refused one may come again', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    const sid = 'ses_0123456789abcdef'
    const jobId = newJobId()
    connection.send(await setup.orc.run(connection.hostId, { jobId }, { sid }))
    ;(await setup.engine.next()).push({
      type: 'refused',
      refusal: { code: 'model_not_loaded', message: 'loading' },
    })
    await connection.next('refused')
    connection.send(await setup.orc.run(connection.hostId, { jobId }, { sid }))
    ;(await setup.engine.next()).start().end()
    await connection.next('job-end')
    connection.send(await setup.orc.run(connection.hostId, { jobId }, { sid }))
    expect(await connection.next('refused')).toMatchObject({ code: 'job_replayed' })
  })

  test('[H3] jobs that welcome does not resume are cancelled', async () => {
    await using setup = await LinkSetup.start()
    const first = await setup.orc.welcomed()
    const run = await setup.orc.run(first.hostId)
    first.send(run)
    const engineRun = await setup.engine.next()
    engineRun.start().delta('a', 1)
    await first.next('frame')
    first.drop()
    const second = await setup.orc.connection()
    expect((await second.next('hello')).running).toEqual([{ jobId: run.jobId, nextSequence: 1 }])
    second.send(setup.orc.welcome(second.hostId))
    expect(await second.next('job-end')).toMatchObject({ jobId: run.jobId, outcome: 'cancelled' })
    expect(engineRun.signal.aborted).toBe(true)
  })

  test('[H3][F6] a resumed job sends again what was not acknowledged and goes on', async () => {
    await using setup = await LinkSetup.start()
    const first = await setup.orc.welcomed()
    const run = await setup.orc.run(first.hostId)
    first.send(run)
    const engineRun = await setup.engine.next()
    engineRun.start().delta('a', 1).delta('b', 2)
    await first.next('frame')
    await first.next('frame')
    first.send({ type: 'credit', jobId: run.jobId, bytes: 1, ackedSequence: 0 })
    first.send(await setup.orc.run(first.hostId, { kind: 'tool' }))
    await first.next('refused')
    first.drop()
    const second = await setup.orc.welcomed([run.jobId])
    expect(await second.next('frame')).toMatchObject({ sequence: 1, text: 'b' })
    engineRun.delta('c', 3).end()
    expect(await second.next('frame')).toMatchObject({ sequence: 2, text: 'c' })
    expect(await second.next('job-end')).toMatchObject({
      outcome: 'completed',
      usage: { generatedTokens: 3 },
    })
  })
})
