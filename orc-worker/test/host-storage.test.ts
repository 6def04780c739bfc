import { env } from 'cloudflare:workers'
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { encodeUp } from '@daisi/protocol'
import { expect, test } from 'vitest'
import { hostStub, sessionStub } from '../src/objects/stubs.ts'
import { balanced, total } from './support/books.ts'
import { ONE, evidence, serveOne, sessionOf, start } from './support/evidence.ts'
import { settle } from './support/orc.ts'
import { chat, newScene } from './support/scene.ts'

test('what was seen while D1 fails arrives later', async () => {
  const scene = await newScene()
  const waiting = () =>
    runInDurableObject(hostStub(env, scene.host.keys.id), (_, { storage }) =>
      storage.sql.exec('SELECT id FROM sightings').toArray(),
    )
  await env.DB.prepare('ALTER TABLE anomaly_evidence RENAME TO away').run()
  const answer = chat(scene)
  const run = await serveOne(scene, async () => 'nonsense')
  expect((await answer).status).toBe(200)
  await runDurableObjectAlarm(hostStub(env, scene.host.keys.id))
  const kept = await waiting()
  await env.DB.prepare('ALTER TABLE away RENAME TO anomaly_evidence').run()
  expect(kept).toEqual([{ id: `invalid_receipt:${run.jobId}` }])
  expect(await evidence(scene.host, 'invalid_receipt')).toHaveLength(1)
  expect(await waiting()).toEqual([])
})

test('a hundred sightings may wait, and no more', async () => {
  const scene = await newScene()
  const stub = hostStub(env, scene.host.keys.id)
  await runInDurableObject(stub, (_, { storage }) => {
    const detail = { jobId: 'job', reason: 'job', digest: '' }
    for (let number = 0; number < 100; number++) {
      const sighting = { id: `earlier:${number}`, kind: 'invalid_receipt', subject: 'x', seenAt: 1, detail }
      storage.sql.exec('INSERT INTO sightings VALUES (?, ?)', sighting.id, JSON.stringify(sighting))
    }
  })
  const answer = chat(scene)
  await serveOne(scene, async () => 'nonsense')
  expect((await answer).status).toBe(200)
  expect(await evidence(scene.host, 'invalid_receipt')).toEqual([])
  const left = await runInDurableObject(stub, (_, { storage }) =>
    storage.sql.exec('SELECT count(*) AS left FROM sightings').one(),
  )
  expect(left).toEqual({ left: 0 })
})

test('the hold of a Job that runs on is renewed', async () => {
  const scene = await newScene()
  const session = sessionStub(env, await sessionOf(scene))
  const expiry = (change = 0) =>
    runInDurableObject(session, (_, { storage }) =>
      Number(
        storage.sql.exec('UPDATE jobs SET expires_at = expires_at - ? RETURNING expires_at', change).one()[
          'expires_at'
        ],
      ),
    )
  const answer = chat(scene, { stream: true })
  const run = await start(scene.host)
  scene.host.sendFrame(run.jobId, 0, 'x')
  const response = await answer
  const begun = await expiry()
  await expiry(200_000)
  await runDurableObjectAlarm(hostStub(env, scene.host.keys.id))
  expect(await expiry()).toBeGreaterThanOrEqual(begun)
  await scene.host.end(run, ONE)
  expect((await response.text()).endsWith('data: [DONE]\n\n')).toBe(true)
})

test('an end whose Host leaves while its receipt is read is settled by the receipt', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true, stream_options: { include_usage: true } })
  const run = await start(scene.host)
  // The checkpoint is of the first frame.
  for (const [sequence, text] of ['one', 'two', 'three'].entries())
    scene.host.sendFrame(run.jobId, sequence, text)
  const reader = (await answer).body!.pipeThrough(new TextDecoderStream()).getReader()
  let seen = ''
  const readUntil = async (text: string) => {
    while (!seen.includes(text)) seen += (await reader.read()).value
  }
  await readUntil('three')
  const usage = { ...ONE, generatedTokens: 3 }
  const receipt = await scene.host.receipt(run, usage)
  const end = encodeUp({
    type: 'job-end',
    jobId: run.jobId,
    outcome: 'completed',
    finishReason: 'stop',
    usage,
    receipt,
  })
  await runInDurableObject(hostStub(env, scene.host.keys.id), async (object, state) => {
    const [socket] = state.getWebSockets('host')
    await Promise.all([object.webSocketMessage(socket!, end), object.webSocketClose(socket!)])
  })
  await readUntil('[DONE]')
  expect(seen).toContain('"completion_tokens":3')
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_013)
  await balanced()
})

test('if the object dies while it reads a receipt, the checkpoint counts', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await start(scene.host)
  scene.host.sendFrame(run.jobId, 0, 'x')
  const stub = hostStub(env, scene.host.keys.id)
  const checkpoints = (deadline: number) =>
    runInDurableObject(stub, async (_, { storage }) => {
      const { rowsWritten } = storage.sql.exec('UPDATE jobs SET deadline = ?', deadline)
      await storage.sync()
      return rowsWritten
    })
  await expect.poll(() => checkpoints(0)).toBe(1)
  const receipt = await scene.host.receipt(run, ONE)
  const end = encodeUp({ type: 'job-end', jobId: run.jobId, outcome: 'cancelled', usage: ONE, receipt })
  const dying = runInDurableObject(stub, async (object, state) => {
    const [socket] = state.getWebSockets('host')
    void object.webSocketMessage(socket!, end)
    state.abort('died')
  })
  await expect(dying).rejects.toThrow('died')
  expect((await answer).status).toBe(502)
  await runDurableObjectAlarm(hostStub(env, scene.host.keys.id))
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
  await balanced()
})

test('what an earlier version of the Worker left in storage is settled and reported', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await start(scene.host)
  const sessionName = await sessionOf(scene)
  const unreported = { jobId: run.jobId, sessionName, payee: scene.owner.id, usage: ONE }
  const meter = {
    jobId: `job_${'0'.repeat(32)}`,
    sessionId: `ses_${'0'.repeat(16)}`,
    sessionName,
    promptBound: 5,
    maxTokens: 20,
    connectionId: 'gone',
    identity: {
      hostId: scene.host.keys.id,
      accountId: scene.owner.id,
      publicKey: String(scene.host.keys.publicJwk.x),
      alias: 'host',
      network: 'public',
      issuer: 'orc',
    },
    accepted: true,
    promptTokens: 10,
    cachedTokens: 0,
    sentTokens: 4,
    deliveredTokens: 4,
    nextSequence: 4,
    windowBytes: 1,
  }
  await runInDurableObject(hostStub(env, scene.host.keys.id), (_, { storage }) => {
    storage.sql.exec('INSERT INTO unreported VALUES (?, ?)', run.jobId, JSON.stringify(unreported))
    storage.sql.exec('INSERT INTO jobs VALUES (?, ?, 0)', meter.jobId, JSON.stringify(meter))
  })
  expect(await evidence(scene.host, 'unpaid_work')).toMatchObject([
    { detail: { model: '', usage: { promptTokens: 5, cachedTokens: 0, generatedTokens: 4 } } },
  ])
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
  scene.host.close()
  await answer
  await balanced()
})
