import { describe, expect, test } from 'vitest'
import type { FakeConnection, FakeOrc } from '../testing/fake-orc.ts'
import { LinksSetup } from '../testing/links-setup.ts'
import { newJobId } from '../testing/token-signer.ts'

/** Resolves when both Orcs have welcomed the Host. */
function welcomed({ first, second }: LinksSetup): Promise<FakeConnection[]> {
  return Promise.all([first.welcomed(), second.welcomed()])
}

async function bothOf(setup: LinksSetup): Promise<[FakeConnection, FakeConnection]> {
  const [first, second] = await welcomed(setup)
  if (first === undefined || second === undefined) throw new Error('not connected')
  return [first, second]
}

/** Runs a job to its end, as proof that an Orc is still served. */
async function serve(setup: LinksSetup, orc: FakeOrc, connection: FakeConnection): Promise<void> {
  connection.send(await orc.run(connection.hostId))
  ;(await setup.engine.next()).start().delta('a', 1).end()
  expect(await connection.next('job-end')).toMatchObject({ outcome: 'completed' })
}

describe('several Orcs', () => {
  test('one Host, enrolled and online at each, with one log event for each', async () => {
    await using setup = await LinksSetup.start()
    const [first, second] = await bothOf(setup)
    await serve(setup, setup.first, first)
    await serve(setup, setup.second, second)
    expect(first.hostId).toBe(second.hostId)
    expect(setup.online.toSorted()).toEqual([setup.first.url, setup.second.url].toSorted())
  })

  test('[H4] a job of one Orc takes a slot from the others', async () => {
    await using setup = await LinksSetup.start()
    const [first, second] = await bothOf(setup)
    first.send(await setup.first.run(first.hostId))
    const job = (await setup.engine.next()).start()
    expect(await second.next('status')).toMatchObject({ freeSlots: 1, accepting: true })
    job.end()
    expect(await second.next('status')).toMatchObject({ freeSlots: 2 })
  })

  test('one pool: what one Orc fills, the other finds busy', async () => {
    await using setup = await LinksSetup.start({ slots: 1 })
    const [first, second] = await bothOf(setup)
    for (let count = 0; count < 3; count++) first.send(await setup.first.run(first.hostId))
    const job = (await setup.engine.next()).start()
    await first.next('accepted')
    first.send(await setup.first.run(first.hostId))
    await first.next('refused')
    second.send(await setup.second.run(second.hostId))
    expect(await second.next('refused')).toMatchObject({ code: 'busy' })
    job.end()
  })

  test('pausing for one Orc does not pause the other', async () => {
    await using setup = await LinksSetup.start()
    const [first, second] = await bothOf(setup)
    first.send({
      type: 'command',
      commandId: `cmd_${'0'.repeat(32)}`,
      sequence: 1,
      name: 'pause',
      arguments: {},
    })
    await first.next('ack')
    first.send(await setup.first.run(first.hostId))
    expect(await first.next('refused')).toMatchObject({ code: 'draining' })
    await serve(setup, setup.second, second)
  })
})

describe('an Orc that is lost', () => {
  test('[C4] one that removes this Host is logged and does not end the others', async () => {
    await using setup = await LinksSetup.start()
    const [first, second] = await bothOf(setup)
    second.send(await setup.second.run(second.hostId))
    const job = (await setup.engine.next()).start().delta('a', 1)
    await second.next('frame')
    first.close(4403)
    while (!setup.log.some(({ event }) => event === 'orc-ended')) await new Promise(setImmediate)
    expect(setup.log.find(({ event }) => event === 'orc-ended')).toMatchObject({
      orc: setup.first.url,
      code: 'revoked',
      level: 50,
    })
    job.delta('b', 2).end()
    expect(await second.next('job-end')).toMatchObject({ outcome: 'completed' })
    await serve(setup, setup.second, second)
    setup.links.stop()
    expect(await setup.ended).toBeUndefined()
  })

  test('the agent ends when all have ended, with the first error', async () => {
    await using setup = await LinksSetup.start()
    const [first, second] = await bothOf(setup)
    second.close(4409)
    while (!setup.log.some(({ event }) => event === 'orc-ended')) await new Promise(setImmediate)
    first.close(4403)
    expect(await setup.ended).toMatchObject({ code: 'superseded', exitCode: 6 })
    const codes = setup.log.filter(({ event }) => event === 'orc-ended').map(({ code }) => code)
    expect(codes).toEqual(['superseded', 'revoked'])
  })

  test('one that cannot be reached does not hold up the others', async () => {
    await using setup = await LinksSetup.start({ secondTarget: { url: 'http://127.0.0.1:1' } })
    await serve(setup, setup.first, await setup.first.welcomed())
    expect(setup.log.some(({ event, orc }) => event === 'offline' && orc === 'http://127.0.0.1:1')).toBe(true)
  })

  test('an Orc under the name of another is not served', async () => {
    await using setup = await LinksSetup.start({ secondIssuer: 'https://first.test' })
    const served = async (orc: FakeOrc) => ({ orc, connection: await orc.welcomed() })
    const { orc, connection } = await Promise.race([served(setup.first), served(setup.second)])
    while (!setup.log.some(({ event }) => event === 'orc-ended')) await new Promise(setImmediate)
    const refused = orc === setup.first ? setup.second : setup.first
    expect(setup.log.find(({ event }) => event === 'orc-ended')).toMatchObject({
      code: 'issuer_taken',
      orc: refused.url,
    })
    await serve(setup, orc, connection)
    expect(refused.enrolled.size).toBe(0)
  })
})

describe('stopping', () => {
  test('[H5] draining covers every Orc: running jobs end, new ones are refused', async () => {
    await using setup = await LinksSetup.start()
    const [first, second] = await bothOf(setup)
    first.send(await setup.first.run(first.hostId))
    const firstJob = (await setup.engine.next()).start()
    await first.next('accepted')
    second.send(await setup.second.run(second.hostId))
    const secondJob = (await setup.engine.next()).start()
    await second.next('accepted')
    const drained = setup.links.drain(new AbortController().signal).then(() => setup.links.stop())
    for (const [orc, connection] of [
      [setup.first, first],
      [setup.second, second],
    ] as const) {
      connection.send(await orc.run(connection.hostId))
      expect(await connection.next('refused')).toMatchObject({ code: 'draining' })
    }
    firstJob.end()
    expect(await first.next('job-end')).toMatchObject({ outcome: 'completed' })
    secondJob.end()
    expect(await second.next('job-end')).toMatchObject({ outcome: 'completed' })
    await drained
    expect(await Promise.all([first.closed, second.closed])).toEqual([1000, 1000])
    expect(await setup.ended).toBeUndefined()
  })
})

describe('Orcs are kept apart', () => {
  test('[T5] the same Session, token id and job id from two Orcs are two jobs', async () => {
    await using setup = await LinksSetup.start()
    const [first, second] = await bothOf(setup)
    const claims = { sid: 'ses_0123456789abcdef', jti: 'the-same' }
    const jobId = newJobId()
    first.send(await setup.first.run(first.hostId, { jobId }, claims))
    const firstJob = (await setup.engine.next()).start()
    await first.next('accepted')
    second.send(await setup.second.run(second.hostId, { jobId }, claims))
    const secondJob = (await setup.engine.next()).start()
    await second.next('accepted')
    // Each Orc can only cancel, feed and end its own.
    first.send({ type: 'credit', jobId, bytes: 11, ackedSequence: 0 })
    first.send({ type: 'cancel', jobId })
    expect(await first.next('job-end')).toMatchObject({ jobId, outcome: 'cancelled' })
    expect(firstJob.grants).toEqual([11])
    expect(secondJob.signal.aborted).toBe(false)
    secondJob.delta('b', 2).end()
    expect(await second.next('frame')).toMatchObject({ jobId, sequence: 0, text: 'b' })
    expect(await second.next('job-end')).toMatchObject({ jobId, outcome: 'completed' })
    expect(secondJob.grants).toEqual([])
    for (const [orc, connection] of [
      [setup.first, first],
      [setup.second, second],
    ] as const) {
      connection.send(await orc.run(connection.hostId, { jobId }, claims))
      expect(await connection.next('refused')).toMatchObject({ code: 'job_replayed' })
    }
  })

  test('[T4] a budget spent under one Orc is not spent under the other', async () => {
    await using setup = await LinksSetup.start()
    const [first, second] = await bothOf(setup)
    const claims = { sid: 'ses_0123456789abcdef', jti: 'the-same', budget: 25 }
    first.send(await setup.first.run(first.hostId, {}, claims))
    ;(await setup.engine.next()).start(5).delta('a', 1).end()
    await first.next('job-end')
    first.send(await setup.first.run(first.hostId, {}, claims))
    ;(await setup.engine.next()).start(5)
    expect(await first.next('refused')).toMatchObject({ code: 'token_budget' })
    second.send(await setup.second.run(second.hostId, {}, claims))
    ;(await setup.engine.next()).start(5).end()
    await second.next('accepted')
  })

  test('[T2] a token of one Orc is refused over the link of the other, both ways', async () => {
    await using setup = await LinksSetup.start()
    const [first, second] = await bothOf(setup)
    first.send(await setup.second.run(first.hostId))
    expect(await first.next('refused')).toMatchObject({ code: 'token_invalid' })
    second.send(await setup.first.run(second.hostId))
    expect(await second.next('refused')).toMatchObject({ code: 'token_invalid' })
  })

  test('[T2] an Orc cannot sign in the name of another, whichever key it names', async () => {
    await using setup = await LinksSetup.start()
    const [first, second] = await bothOf(setup)
    const claims = { iss: setup.first.issuer }
    // Signed by the second Orc's key: over its own link, and over that of the Orc that it pretends to be.
    const forged = await setup.second.run(second.hostId, {}, claims)
    second.send(forged)
    expect(await second.next('refused')).toMatchObject({ code: 'token_invalid' })
    first.send(forged)
    expect(await first.next('refused')).toMatchObject({ code: 'token_invalid' })
  })
})
