import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AcknowledgementClaims, DIRECT_REPORT_SECONDS } from '@daisi/protocol'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { type DirectAnswer, DirectConsumer } from '../testing/direct-consumer.ts'
import { DirectSetup } from '../testing/direct-setup.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { ScriptedRun } from '../testing/scripted-engine.ts'
import { newJobId } from '../testing/token-signer.ts'
import { ARREARS_MS } from './arrears.ts'
import { STALL_MS } from './direct-delivery.ts'

const LAST_ACKNOWLEDGEMENT_MS = 5_000

function claimsOf(token: string, jobId: string, generatedTokens: number): Omit<AcknowledgementClaims, 'iat'> {
  const { aud, sid } = decodeJwt<{ sid: string }>(token)
  return { aud: String(aud), sid, jobId, promptTokens: 5, cachedTokens: 0, generatedTokens }
}

function ids(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

interface Begun {
  readonly token: string
  readonly jobId: string
  readonly run: ScriptedRun
  readonly answer: DirectAnswer
}

/** A job whose answer has begun with so many tokens, all read. */
async function begin(
  setup: DirectSetup,
  token: string,
  tokens: number,
  consumer = setup.consumer,
): Promise<Begun> {
  const jobId = newJobId()
  const answering = consumer.chat(token, setup.body({ max_tokens: 90 }), { claims: { jti: jobId } })
  const run = await setup.engine.next()
  run.start()
  if (tokens > 0) run.delta('a', ...ids(tokens))
  const answer = await answering
  await answer.next()
  if (tokens > 0) await answer.text()
  return { token, jobId, run, answer }
}

/** A whole answer of so many tokens, of which so many are acknowledged. */
async function complete(
  setup: DirectSetup,
  token: string,
  tokens: number,
  acknowledged = 0,
  consumer = setup.consumer,
): Promise<Begun> {
  const begun = await begin(setup, token, tokens, consumer)
  begun.run.end()
  expect(await begun.answer.rest()).toContain('[DONE]')
  if (acknowledged > 0) await consumer.acknowledge(claimsOf(token, begun.jobId, acknowledged))
  return begun
}

async function codeOf(answering: Promise<DirectAnswer>): Promise<[number, string]> {
  const answer = await answering
  return [answer.status, await answer.errorCode()]
}

/** What the only report that waits on disk says that was acknowledged. */
async function reportedTokens(stateFolder: string): Promise<number> {
  const folder = join(stateFolder, 'direct')
  const bookName = async (): Promise<string | undefined> =>
    (await readdir(folder).catch(() => [])).find((name) => /^127\.0\.0\.1.*\.json$/.test(name))
  let name = await bookName()
  for (; name === undefined; name = await bookName()) await new Promise(setImmediate)
  const book = JSON.parse(await readFile(join(folder, name), 'utf8')) as {
    reports: { acknowledgement: string }[]
  }
  expect(book.reports).toHaveLength(1)
  return decodeJwt<AcknowledgementClaims>(book.reports[0]?.acknowledgement ?? '').generatedTokens
}

const REFUSED = [409, 'unacknowledged']

test('[D5] a job is ended, and reported, while what is acknowledged of it can still be paid', async () => {
  const clock = new ManualClock(Date.now())
  await using setup = await DirectSetup.start({ clock })
  const token = await setup.token()
  const { exp = 0 } = decodeJwt(token)
  const { jobId, run, answer } = await begin(setup, token, 40)
  let acknowledged = 8
  await setup.consumer.acknowledge(claimsOf(token, jobId, acknowledged))
  const endsAtMs = (exp + DIRECT_REPORT_SECONDS - 120) * 1000
  // Real progress each time, however slow: this is not what ends it.
  while (clock.now() + STALL_MS < endsAtMs) {
    clock.advance(STALL_MS - 1)
    expect(run.signal.aborted).toBe(false)
    run.delta('b', ...ids(8))
    await answer.text()
    acknowledged += 8
    expect((await setup.consumer.acknowledge(claimsOf(token, jobId, acknowledged))).status).toBe(204)
  }
  clock.advance(endsAtMs - clock.now())
  expect(run.signal.aborted).toBe(true)
  expect(await answer.rest()).toContain('"code":"unacknowledged"')
  clock.advance(LAST_ACKNOWLEDGEMENT_MS)
  expect(await reportedTokens(setup.stateFolder)).toBe(acknowledged)
})

test('[D5] acknowledgements that drip do not hold a slot', async () => {
  const clock = new ManualClock(Date.now())
  await using setup = await DirectSetup.start({ clock })
  const token = await setup.token()
  const { jobId, run, answer } = await begin(setup, token, 40)
  for (let acknowledged = 1; acknowledged <= 7; acknowledged++) {
    await setup.consumer.acknowledge(claimsOf(token, jobId, acknowledged))
    clock.advance(STALL_MS / 10)
  }
  expect(run.signal.aborted).toBe(false)
  clock.advance((STALL_MS * 3) / 10)
  expect(run.signal.aborted).toBe(true)
  expect(await answer.rest()).toContain('"code":"unacknowledged"')
})

test('[D5] eight tokens are progress, and so is everything', async () => {
  const clock = new ManualClock(Date.now())
  await using setup = await DirectSetup.start({ clock })
  const token = await setup.token()
  const { jobId, run, answer } = await begin(setup, token, 50)
  for (const acknowledged of [8, 16]) {
    clock.advance(STALL_MS - 1)
    await setup.consumer.acknowledge(claimsOf(token, jobId, acknowledged))
  }
  clock.advance(STALL_MS - 1)
  await setup.consumer.acknowledge(claimsOf(token, jobId, 50))
  clock.advance(10 * STALL_MS)
  expect(run.signal.aborted).toBe(false)
  answer.leave()
})

test('[D5] the jobs of a token together leave at most 64 tokens unacknowledged, however many run at once', async () => {
  const clock = new ManualClock(Date.now())
  await using setup = await DirectSetup.start({ clock, slots: 4, queue: 8 })
  const token = await setup.token()
  const jobs: Begun[] = []
  for (let index = 0; index < 4; index++) jobs.push(await begin(setup, token, 0))
  let room = 64
  for (const { run, answer, jobId } of jobs) {
    for (const id of ids(60)) run.delta('a', id)
    for (const _ of ids(Math.min(room, 60))) await answer.text()
    room -= Math.min(room, 60)
    // Answered after the Host looked at everything else that it could send.
    await setup.consumer.acknowledge(claimsOf(token, jobId, 0))
  }
  clock.advance(STALL_MS)
  for (const { run } of jobs) expect(run.signal.aborted).toBe(true)
  const texts = await Promise.all(jobs.map(({ answer }) => answer.rest()))
  for (const text of texts) expect(text).not.toContain('"content":"a"')
  expect(await codeOf(setup.consumer.chat(token, setup.body()))).toEqual(REFUSED)
})

test('[D5] what one job has acknowledged is room for the others', async () => {
  await using setup = await DirectSetup.start()
  const token = await setup.token()
  const first = await begin(setup, token, 60)
  const second = await begin(setup, token, 4)
  expect(second.run.job.windowBytes).toBe(24 + 4 * 4)
  second.run.delta('b', ...ids(30))
  const following = second.answer.text()
  expect(await codeOf(setup.consumer.chat(token, setup.body()))).toEqual(REFUSED)
  await setup.consumer.acknowledge(claimsOf(token, first.jobId, 60))
  expect(await following).toEqual({ id: 34, text: 'b' })
  first.answer.leave()
  second.answer.leave()
})

test('[D5] jobs that are over leave the next one of the token enough of the window', async () => {
  const clock = new ManualClock(Date.now())
  await using setup = await DirectSetup.start({ clock })
  const token = await setup.token()
  const { jobId } = await complete(setup, token, 17)
  await complete(setup, token, 1, 1)
  clock.advance(LAST_ACKNOWLEDGEMENT_MS)
  expect(await codeOf(setup.consumer.chat(token, setup.body()))).toEqual(REFUSED)
  await setup.consumer.acknowledge(claimsOf(token, jobId, 1))
  await complete(setup, token, 1, 1)
})

test('[D5] a new token is no new trust, neither for the key nor for the Session, for an hour', async () => {
  const clock = new ManualClock(Date.now())
  await using setup = await DirectSetup.start({ clock })
  const other = await DirectConsumer.create()
  other.endpoint = setup.consumer.endpoint
  other.now = setup.consumer.now
  const ofOther = (sub: string): Promise<string> => setup.token({ sub, cnf: { jkt: other.thumbprint } })
  await complete(setup, await setup.token({ sub: 'one' }), 64)
  await complete(setup, await setup.token({ sub: 'one' }), 1)
  // The key in another Session, and the Session with another key.
  expect(await codeOf(setup.consumer.chat(await setup.token({ sub: 'two' }), setup.body()))).toEqual(REFUSED)
  expect(await codeOf(other.chat(await ofOther('one'), setup.body()))).toEqual(REFUSED)
  await complete(setup, await ofOther('two'), 3, 3, other)
  clock.advance(ARREARS_MS)
  await complete(setup, await setup.token({ sub: 'one' }), 1, 1)
})

test('[D5] late acknowledgements count', async () => {
  await using setup = await DirectSetup.start()
  await complete(setup, await setup.token(), 64)
  const { token, jobId } = await complete(setup, await setup.token(), 64)
  expect(await codeOf(setup.consumer.chat(await setup.token(), setup.body()))).toEqual(REFUSED)
  await setup.consumer.acknowledge(claimsOf(token, jobId, 64))
  await complete(setup, await setup.token(), 1, 1)
})

test('[A7] who waits for acknowledged room and leaves stops the engine', async () => {
  await using setup = await DirectSetup.start()
  const { run, answer } = await begin(setup, await setup.token(), 64)
  run.delta('b', 1)
  const aborted = once(run.signal, 'abort')
  answer.leave()
  await aborted
})
