import { env } from 'cloudflare:workers'
import { evictDurableObject } from 'cloudflare:test'
import { CloseCode, encodeFrame, textFrame } from '@daisi/protocol'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { directoryStub, hostStub } from '../src/objects/stubs.ts'
import { hashCredential } from '../src/domain/credential.ts'
import { balanced, total } from './support/books.ts'
import { balanceOf, call, newAccount, newEnrolment, newKey, settle } from './support/orc.ts'
import { chat, errorCode, events, newScene } from './support/scene.ts'
import { TestHost, newHost } from './support/test-host.ts'

test('[F3] a frame out of sequence closes with 4400', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 1, 'x')
  expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
  expect((await events(await answer)).at(-1)).toMatchObject({ error: { code: 'host_lost' } })
})

test('[J3] a refusal moves the request to another Host', async () => {
  const scene = await newScene()
  const second = await newHost((await newEnrolment(scene.owner)).token, { model: scene.model, slots: 1 })
  const answer = chat(scene)
  // More free slots come first, so the first Host is asked before the second.
  const run = await scene.host.receive('run')
  scene.host.send({ type: 'refused', jobId: run.jobId, code: 'busy', message: 'full' })
  await second.serve(['from the second'])
  expect(await (await answer).json()).toMatchObject({
    choices: [{ message: { content: 'from the second' } }],
  })
})

test('when every Host is full the answer is 503 with Retry-After', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  scene.host.send({ type: 'refused', jobId: run.jobId, code: 'busy', message: 'full' })
  const response = await answer
  expect([response.status, await errorCode(response)]).toEqual([503, 'all_hosts_busy'])
  expect(response.headers.get('retry-after')).toBe('2')
})

test('a Host that is lost before it accepts is passed over for another, which is paid', async () => {
  const scene = await newScene()
  const second = await newHost((await newEnrolment(scene.owner)).token, { model: scene.model, slots: 1 })
  const answer = chat(scene)
  const given = await scene.host.receive('run')
  scene.host.close()
  const taken = await second.serve(['from the second'])
  // Under an id of its own: whatever the first still says cannot end or bill this work.
  expect(taken.jobId).not.toBe(given.jobId)
  expect(await (await answer).json()).toMatchObject({
    choices: [{ message: { content: 'from the second' } }],
  })
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
  await balanced()
})

test('[F5] a Host that sends beyond its window is closed', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true, max_tokens: 2_000 })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  const reader = (await answer).body!.getReader()
  // Nobody reads on: no more is granted, and the Host goes on all the same.
  await reader.read()
  const text = 'x'.repeat(60 * 1024)
  for (let sequence = 0; sequence < 12; sequence++) scene.host.sendFrame(run.jobId, sequence, text, 64)
  expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
  await reader.cancel()
})

test('[J4] a job-end before accepted closes with 4400, and the Host that does the work is paid', async () => {
  const scene = await newScene()
  const second = await newHost((await newEnrolment(scene.owner)).token, { model: scene.model, slots: 1 })
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  await scene.host.end(run, { promptTokens: 0, cachedTokens: 0, generatedTokens: 0 })
  expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
  await second.serve(['honest work'])
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
})

test('[J2, J3] a Host answers a Job once: accepted twice, or refused after it, closes with 4400 and frees the hold', async () => {
  for (const second of ['accepted', 'refused'] as const) {
    const scene = await newScene()
    const answer = chat(scene)
    const run = await scene.host.receive('run')
    scene.host.accept(run)
    if (second === 'accepted') scene.host.accept(run, 1)
    else scene.host.send({ type: 'refused', jobId: run.jobId, code: 'busy', message: 'changed my mind' })
    expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
    expect(await errorCode(await answer)).toBe('host_lost')
    await call('DELETE', `/api/keys/${scene.key.id}`, { token: scene.consumer.token })
    await expect.poll(() => balanceOf(scene.consumer)).toMatchObject({ available: 10_000, held: 0 })
  }
})

test('[R2] token ids without text are not paid', async () => {
  const scene = await newScene()
  const answer = chat(scene, { max_tokens: 500 })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'x', 400)
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 400 })
  expect(await (await answer).json()).toMatchObject({ usage: { completion_tokens: 1 } })
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
})

test.for([
  [
    '[F2] no tokens',
    (jobId: string) => encodeFrame(textFrame({ jobId, sequence: 0, tokenIds: [], text: 'x' })),
  ],
  [
    '[F2] more text than its token can have',
    (jobId: string) => encodeFrame(textFrame({ jobId, sequence: 0, tokenIds: [1], text: 'x'.repeat(2_000) })),
  ],
  [
    '[R2] more tokens than were asked for',
    (jobId: string) =>
      encodeFrame(
        textFrame({ jobId, sequence: 0, tokenIds: Array<number>(21).fill(1), text: 'x'.repeat(30) }),
      ),
  ],
  [
    '[F7] text that is not UTF-8',
    (jobId: string) =>
      spoiled(encodeFrame(textFrame({ jobId, sequence: 0, tokenIds: [1], text: 'x' })), -1, 0xff),
  ],
  [
    '[J1] a sealed body',
    (jobId: string) =>
      spoiled(encodeFrame(textFrame({ jobId, sequence: 0, tokenIds: [1], text: 'x' })), 1, 1),
  ],
] as const)('a frame with %s closes with 4400 and is not paid', async ([, frame]) => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  scene.host.sendRaw(frame(run.jobId))
  expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
  expect((await events(await answer)).at(-1)).toMatchObject({ error: { code: 'host_lost' } })
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_000)
})

function spoiled(bytes: Uint8Array, index: number, value: number): Uint8Array {
  const copy = bytes.slice()
  copy[index < 0 ? copy.length + index : index] = value
  return copy
}

test("a Host's word that the prompt is too long counts only where it can be true", async () => {
  const scene = await newScene()
  const second = await newHost((await newEnrolment(scene.owner)).token, { model: scene.model, slots: 1 })
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  const refusal = {
    code: 'context_length_exceeded',
    message: 'no',
    promptTokens: 9_999_999,
    contextLength: 2048,
  } as const
  scene.host.send({ type: 'refused', jobId: run.jobId, ...refusal })
  await second.serve(['it fits'])
  expect((await answer).status).toBe(200)
})

test('[J2] a frame before accepted closes with 4400', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  scene.host.sendFrame(run.jobId, 0, 'too early')
  expect((await scene.host.closed).code).toBe(CloseCode.BadMessage)
  expect((await answer).status).toBe(502)
})

test('a paused Host is not asked, and is again once it resumes, also after the directory slept', async () => {
  const scene = await newScene()
  scene.host.send({ type: 'status', freeSlots: 4, accepting: false })
  await expect.poll(async () => errorCode(await chat(scene))).toBe('no_host_available')
  scene.host.send({ type: 'status', freeSlots: 4, accepting: true })
  const directory = directoryStub(env, 'public')
  const needed = { model: scene.model, kind: 'chat', accountId: scene.consumer.id, ownOnly: false } as const
  const ready = async () => (await directory.pick(needed)).ok
  await expect.poll(ready).toBe(true)
  await evictDurableObject(directory)
  expect(await ready()).toBe(true)
})

test('[J7] messages and frames of a forgotten Job are ignored, also those of another Host', async () => {
  const scene = await newScene()
  const other = await newHost((await newEnrolment(scene.owner)).token, { model: 'other' })
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  // Another Host cannot speak for this Job: its object does not know it.
  other.accept(run)
  other.sendFrame(run.jobId, 0, 'forged')
  await other.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  scene.host.sendFrame(`job_${'0'.repeat(32)}`, 0, 'stray')
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'true')
  const usage = { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 }
  await scene.host.end(run, usage)
  expect(await (await answer).json()).toMatchObject({ choices: [{ message: { content: 'true' } }] })
  await scene.host.end(run, usage)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_011)
  await balanced()
})

test('[F5] a slow reader is granted more only as it reads', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true, max_tokens: 2_000 })
  const run = await scene.host.receive('run')
  expect(run.windowBytes).toBe(256 * 1024)
  scene.host.accept(run)
  const text = 'x'.repeat(32 * 1024)
  for (let sequence = 0; sequence < 8; sequence++) scene.host.sendFrame(run.jobId, sequence, text, 64)
  const response = await answer
  const reading = response.text()
  const credit = await scene.host.receive('credit')
  expect(credit).toMatchObject({ jobId: run.jobId })
  expect(credit.bytes).toBeGreaterThanOrEqual(128 * 1024)
  await scene.host.receive('credit')
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 512 })
  expect((await reading).endsWith('data: [DONE]\n\n')).toBe(true)
})

test('[T1] the Session token names the Host, the Session and the budget, and never the Consumer', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await scene.host.serve(['ok'])
  await answer
  expect(decodeProtectedHeader(run.sessionToken)).toMatchObject({ alg: 'Ed25519', typ: 'daisi-session+jwt' })
  const claims = decodeJwt(run.sessionToken)
  expect(claims).toMatchObject({
    aud: scene.host.keys.id,
    net: 'public',
    mode: 'orchestrated',
    budget: 41 + 20,
    jti: run.jobId,
  })
  const seen = JSON.stringify(run) + JSON.stringify(claims)
  const hash = await hashCredential(scene.key.key)
  for (const secret of [scene.consumer.id, scene.key.id, scene.key.key, hash, scene.owner.id])
    expect(seen).not.toContain(secret)
})

test('[Q1, Q2] commands wait for the Host, come in order after welcome, and go when acknowledged', async () => {
  const scene = await newScene()
  const order = (name: string) =>
    call('POST', `/api/hosts/${scene.host.keys.id}/commands`, { token: scene.owner.token, body: { name } })
  scene.host.close()
  await scene.host.closed
  for (const name of ['pause', 'resume', 'drain']) expect((await order(name)).status).toBe(202)
  await evictDurableObject(hostStub(env, scene.host.keys.id))
  const back = await TestHost.connect(scene.host.keys, { model: scene.model })
  const commands = [
    await back.receive('command'),
    await back.receive('command'),
    await back.receive('command'),
  ]
  expect(commands.map((command) => command.name)).toEqual(['pause', 'resume', 'drain'])
  back.send({ type: 'ack', commandId: commands[0]!.commandId, outcome: 'done' })
  back.send({ type: 'ack', commandId: commands[1]!.commandId, outcome: 'unsupported' })
  const again = await TestHost.connect(scene.host.keys, { model: scene.model })
  expect((await again.receive('command')).commandId).toBe(commands[2]!.commandId)
})

test('a stream survives the sleep of its object between two frames, and is paid in full', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  const sleep = () => evictDurableObject(hostStub(env, scene.host.keys.id))
  // Each frame is read to the end before the next sleep: an object that sleeps already cannot be put to sleep.
  const reader = (await answer).body!.getReader()
  const readUntil = async (text: string) => {
    while (!new TextDecoder().decode((await reader.read()).value).includes(text)) continue
  }
  await sleep()
  scene.host.sendFrame(run.jobId, 0, 'one')
  await readUntil('one')
  await sleep()
  scene.host.sendFrame(run.jobId, 1, 'two')
  await readUntil('two')
  await sleep()
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 2 })
  await readUntil('[DONE]')
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_012)
  await balanced()
})

test('GET /v1/models lists each model once, with the Hosts that serve it', async () => {
  const scene = await newScene()
  await newHost((await newEnrolment(scene.owner)).token, { model: scene.model })
  const { key } = await newKey(await newAccount('reader'))
  const list = await call('GET', '/v1/models', { token: key }).then((response) =>
    response.json<{ data: { id: string }[] }>(),
  )
  const model = { id: scene.model, object: 'model', owned_by: 'daisi', context_length: 2048, hosts_online: 2 }
  expect(list.data.filter(({ id }) => id === scene.model)).toMatchObject([model])
  expect(await (await call('GET', `/v1/models/${scene.model}`, { token: key })).json()).toMatchObject(model)
  expect((await call('GET', '/v1/models/none', { token: key })).status).toBe(404)
})
