import { env } from 'cloudflare:workers'
import type { RefusalCode, Run } from '@daisi/protocol'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { hashCredential } from '../src/domain/credential.ts'
import { sessionStub } from '../src/objects/stubs.ts'
import { balanced, total } from './support/books.ts'
import { ONE, evidence, serveOne, sessionOf, start } from './support/evidence.ts'
import { newEnrolment, settle } from './support/orc.ts'
import { chat, newScene } from './support/scene.ts'
import { TestHost, newHost, newHostKeys } from './support/test-host.ts'

test('[R2, R4] a Host that signs for more than the Orc saw is paid what was seen, and its receipt is kept', async () => {
  const scene = await newScene()
  const jobs: string[] = []
  for (let count = 0; count < 2; count++) {
    const answer = chat(scene)
    const run = await start(scene.host)
    jobs.push(run.jobId)
    scene.host.sendFrame(run.jobId, 0, 'x')
    await scene.host.end(run, { promptTokens: 12, cachedTokens: 0, generatedTokens: 9 })
    expect(await (await answer).json()).toMatchObject({ usage: { prompt_tokens: 10, completion_tokens: 1 } })
  }
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_022)
  const [first, second] = await evidence(scene.host, 'excess_claim')
  expect(first).toMatchObject({
    id: `excess_claim:${jobs[0]}`,
    detail: {
      jobId: jobs[0],
      model: scene.model,
      meter: { promptTokens: 10, sentTokens: 1, deliveredTokens: 1, textBytes: 1, maxTokens: 20 },
      claimed: { promptTokens: 12, cachedTokens: 0, generatedTokens: 9 },
      excess: { promptTokens: 2, generatedTokens: 8 },
      receipt: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
    },
  })
  // Both stand in one record.
  expect(second).toMatchObject({ anomaly: first?.anomaly, id: `excess_claim:${jobs[1]}` })
  await balanced()
})

test('an honest Host whose Consumer left is not taken for one that claims too much', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true })
  const run = await start(scene.host)
  scene.host.sendFrame(run.jobId, 0, 'x')
  const reader = (await answer).body!.getReader()
  while (!new TextDecoder().decode((await reader.read()).value).includes('"x"')) continue
  await reader.cancel()
  await scene.host.receive('cancel')
  scene.host.sendFrame(run.jobId, 1, 'too late')
  await scene.host.end(run, { ...ONE, generatedTokens: 2 }, { outcome: 'cancelled' })
  await expect.poll(async () => (await settle(scene.key.key), total(scene.owner))).toBe(10_011)
  expect(await evidence(scene.host, 'excess_claim')).toEqual([])
  await balanced()
})

test("[R3, R4] a receipt of another Host's key, or for another model file, pays nothing, and its digest is kept", async () => {
  const scene = await newScene()
  const receipts = [
    ['signature', async (run) => scene.host.receipt(run, ONE, await newHostKeys())],
    ['model', (run) => scene.host.receipt(run, ONE, scene.host.keys, { modelSha256: 'b'.repeat(64) })],
    ['malformed', async () => 'nonsense'],
  ] satisfies [string, Parameters<typeof serveOne>[1]][]
  for (const [reason, receipt] of receipts) {
    const answer = chat(scene)
    let sent = ''
    const run = await serveOne(scene, async (run) => (sent = await receipt(run)))
    expect((await answer).status).toBe(200)
    const kept = (await evidence(scene.host, 'invalid_receipt')).at(-1)
    expect(kept?.id).toBe(`invalid_receipt:${run.jobId}`)
    expect(kept?.detail).toEqual({ jobId: run.jobId, reason, digest: await hashCredential(sent) })
  }
  await settle(scene.key.key)
  expect([await total(scene.owner), await total(scene.consumer)]).toEqual([10_000, 10_000])
  await balanced()
})

test('[R3] a receipt counts for its own Job only', async () => {
  const scene = await newScene()
  const first = chat(scene)
  let receipt = ''
  await serveOne(scene, async (run) => (receipt = await scene.host.receipt(run, ONE)))
  expect((await first).status).toBe(200)
  const second = chat(scene)
  const run = await serveOne(scene, async () => receipt)
  expect(await (await second).json()).toMatchObject({ usage: { total_tokens: 0 } })
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
  expect(await evidence(scene.host, 'invalid_receipt')).toMatchObject([
    { id: `invalid_receipt:${run.jobId}`, detail: { reason: 'job', digest: await hashCredential(receipt) } },
  ])
  await balanced()
})

test('a Host that says it failed, with an empty receipt, claims nothing', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await start(scene.host)
  await scene.host.end(run, { ...ONE, generatedTokens: 0 }, { outcome: 'failed', receipt: '' })
  expect((await answer).status).toBe(502)
  expect(await evidence(scene.host, 'invalid_receipt')).toEqual([])
})

test("[J7, R7] another Host's end of a Job changes nothing and is noted; the rightful Host is paid, and may repeat itself", async () => {
  const scene = await newScene()
  const other = await newHost((await newEnrolment(scene.owner)).token, { model: 'other' })
  const answer = chat(scene)
  const run = await start(scene.host)
  scene.host.sendFrame(run.jobId, 0, 'x')
  const claimed = { ...ONE, generatedTokens: 20 }
  const receipt = await other.receipt(run, claimed)
  for (let count = 0; count < 3; count++) await other.end(run, claimed, { receipt })
  const detail = { jobId: run.jobId, digest: await hashCredential(receipt) }
  await expect
    .poll(async () => (await evidence(other, 'stray_receipt')).map((kept) => kept.detail))
    .toEqual([detail])
  for (let count = 0; count < 3; count++) await scene.host.end(run, ONE)
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
  expect(await evidence(other, 'stray_receipt')).toHaveLength(1)
  await balanced()
})

test('[R7] a Host that ends a Job without a beginning and claims nothing is not noted', async () => {
  const scene = await newScene()
  const other = await newHost((await newEnrolment(scene.owner)).token, { model: 'other' })
  const answer = chat(scene)
  const run = await start(scene.host)
  await other.end(run, { ...ONE, generatedTokens: 0 }, { outcome: 'cancelled' })
  // One sighting is kept for each Host and hour, so that the first to be noted is the one that shows.
  const receipt = await other.receipt(run, ONE)
  await other.end(run, ONE, { receipt })
  await expect
    .poll(() => evidence(other, 'stray_receipt'))
    .toMatchObject([{ detail: { digest: await hashCredential(receipt) } }])
  scene.host.sendFrame(run.jobId, 0, 'x')
  await scene.host.end(run, ONE)
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
  await balanced()
})

test('[J7] a Host that ends a Job late, after it lost its connection or the Job was taken back, is not noted', async () => {
  const scene = await newScene()
  const gone = new AbortController()
  const left = chat(scene, { stream: true }, { signal: gone.signal })
  const early = await scene.host.receive('run')
  gone.abort()
  await left.catch(() => undefined)
  await scene.host.receive('cancel')
  // The acceptance and the cancellation cross.
  scene.host.accept(early)
  await scene.host.end(early, { ...ONE, generatedTokens: 0 }, { outcome: 'cancelled' })
  const lost = chat(scene)
  const cut = await start(scene.host)
  scene.host.sendFrame(cut.jobId, 0, 'x')
  scene.host.close()
  expect((await lost).status).toBe(502)
  const back = await TestHost.connect(scene.host.keys, { model: scene.model })
  await back.end(cut, ONE)
  const next = chat(scene)
  await back.serve(['y'])
  expect((await next).status).toBe(200)
  expect(await evidence(scene.host, 'stray_receipt')).toEqual([])
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_022)
  await balanced()
})

test("[R5] a Host's skewed clock is noted once and changes nothing about its pay", async () => {
  const scene = await newScene()
  const endedAt = Date.now() - 3_600_000
  for (let count = 0; count < 2; count++) {
    const answer = chat(scene)
    await serveOne(scene, (run) => scene.host.receipt(run, ONE, scene.host.keys, { endedAt }))
    expect((await answer).status).toBe(200)
  }
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_022)
  const [skew, ...more] = await evidence(scene.host, 'clock_skew')
  expect(Number(skew?.detail['skewMs'])).toBeLessThan(-3_500_000)
  expect(decodeJwt(String(skew?.detail['receipt']))).toMatchObject({ ...ONE, endedAt })
  expect(more).toEqual([])
})

test('work that its Session no longer holds credits for is noted', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await start(scene.host)
  await sessionStub(env, await sessionOf(scene)).abandon(run.jobId)
  scene.host.sendFrame(run.jobId, 0, 'x')
  await scene.host.end(run, ONE)
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_000)
  expect(await evidence(scene.host, 'unpaid_work')).toMatchObject([
    { id: `unpaid_work:${run.jobId}`, detail: { jobId: run.jobId, model: scene.model, usage: ONE } },
  ])
})

test('a Host that says it is free and leaves ten Jobs in a row is noted; one that took one meanwhile is not', async () => {
  const scene = await newScene()
  const leave = async (times: number) => {
    for (let count = 0; count < times; count++) {
      const answer = chat(scene)
      const { jobId } = await scene.host.receive('run')
      scene.host.send({ type: 'refused', jobId, code: 'busy', message: 'not now' })
      expect((await answer).status).toBe(503)
    }
  }
  await leave(9)
  const taken = chat(scene)
  await scene.host.serve(['x'])
  expect((await taken).status).toBe(200)
  await leave(9)
  expect(await evidence(scene.host, 'idle_claim')).toEqual([])
  // Full, by its own word: refusing is honest then.
  scene.host.send({ type: 'status', freeSlots: 0, accepting: true })
  await leave(9)
  scene.host.send({ type: 'status', freeSlots: 2, accepting: true })
  await leave(3)
  expect(await evidence(scene.host, 'idle_claim')).toMatchObject([{ detail: { untaken: 10, freeSlots: 2 } }])
})

test('other words for not taking a Job are noted as well; a model that is on its way by its own word is not', async () => {
  const scene = await newScene()
  const leave = async (...codes: readonly RefusalCode[]) => {
    for (const code of codes) {
      const answer = chat(scene)
      const { jobId } = await scene.host.receive('run')
      scene.host.send({ type: 'refused', jobId, code, message: 'no' })
      expect((await answer).status).toBe(503)
    }
  }
  const many = (code: RefusalCode, times: number) => Array.from({ length: times }, () => code)
  await leave(...many('declined', 3), ...many('unsupported_kind', 3), ...many('model_loading', 3))
  const state = { id: scene.model, state: 'loading' as const }
  scene.host.send({ type: 'status', freeSlots: 2, accepting: true, models: [state] })
  await leave(...many('model_loading', 3))
  expect(await evidence(scene.host, 'idle_claim')).toEqual([])
  scene.host.send({ type: 'status', freeSlots: 2, accepting: true })
  await leave('model_loading')
  expect(await evidence(scene.host, 'idle_claim')).toMatchObject([{ detail: { untaken: 10 } }])
})

test('a Host that leaves what its slots cannot take of a burst is not noted, though it has taken none of it yet', async () => {
  const scene = await newScene()
  scene.host.send({ type: 'status', freeSlots: 2, accepting: true })
  const answers = Array.from({ length: 12 }, () => chat(scene))
  const runs: Run[] = []
  for (const _ of answers) runs.push(await scene.host.receive('run'))
  for (const { jobId } of runs.slice(2)) {
    scene.host.send({ type: 'refused', jobId, code: 'busy', message: 'full' })
  }
  for (const run of runs.slice(0, 2)) {
    scene.host.accept(run)
    scene.host.sendFrame(run.jobId, 0, 'x')
    await scene.host.end(run, ONE)
  }
  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(2)
  expect(statuses.filter((status) => status === 503)).toHaveLength(10)
  expect(await evidence(scene.host, 'idle_claim')).toEqual([])
})
