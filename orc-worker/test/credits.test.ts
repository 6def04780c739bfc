import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { hashCredential } from '../src/domain/credential.ts'
import { callerWith } from './support/caller.ts'
import { openedSessionName, plainSessionName, sessionStub } from '../src/objects/stubs.ts'
import { audit, balanceOf, call, newAccount, newEnrolment, newKey, settle } from './support/orc.ts'
import { chat, errorCode, events, newScene } from './support/scene.ts'
import { newHost, newHostKeys } from './support/test-host.ts'
import { balanced, total } from './support/books.ts'

test('[P1] cached prompt tokens are free', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  await scene.host.serve(['a', 'b', 'c'], 30, 25)
  expect(await (await answer).json()).toMatchObject({
    usage: { prompt_tokens: 30, prompt_tokens_details: { cached_tokens: 25 } },
  })
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_000 + 30 - 25 + 3)
  await balanced()
})

test('[P2] nothing delivered, nothing charged', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 0 }, { outcome: 'failed' })
  expect(await errorCode(await answer)).toBe('host_failed')
  await settle(scene.key.key)
  expect([await total(scene.consumer), await total(scene.owner)]).toEqual([10_000, 10_000])
  await balanced()
})

test('[P3] on Hosts of the same account the price is 0', async () => {
  const account = await newAccount('both')
  const host = await newHost((await newEnrolment(account)).token, { model: 'own' })
  const key = await newKey(account)
  const answer = chat({ key, model: 'own' })
  await host.serve(['a', 'b'])
  expect((await answer).status).toBe(200)
  const usage = await call('GET', '/v1/usage', { token: key.key })
  expect(await usage.json()).toMatchObject({
    network: null,
    totals: { jobs: 1, generated_tokens: 2, credits: 0 },
  })
  expect(await total(account)).toBe(10_000)
  await balanced()
})

test('[P4] a request that the balance may not cover is answered 402 before it reaches a Host', async () => {
  const scene = await newScene()
  const response = await chat(scene, { max_tokens: 100_000 })
  expect(response.status).toBe(402)
  expect(await response.json()).toMatchObject({
    error: { code: 'insufficient_credits', message: expect.stringMatching(/10000/) },
  })
  // The next thing the Host hears is the affordable request.
  const answer = chat(scene, { max_tokens: 7 })
  expect((await scene.host.serve(['ok'])).payload).toMatchObject({ sampling: { maxTokens: 7 } })
  expect((await answer).status).toBe(200)
})

test('without max_tokens an answer may have what the balance covers, up to the default', async () => {
  const scene = await newScene()
  const first = chat(scene, {
    max_tokens: undefined,
    messages: [{ role: 'user', content: 'x'.repeat(18_000) }],
  })
  const run = await scene.host.serve(['ok'])
  expect((await first).status).toBe(200)
  const { sampling } = run.payload as { sampling: { maxTokens: number } }
  // Half the bytes, 32 for the template and 8 for the message are held for the prompt.
  expect(sampling.maxTokens).toBe(10_000 - 9_000 - 32 - 8)
})

test('[R2] a Host is not paid for more than the Orc relayed, nor for more prompt than the bytes allow', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  scene.host.accept(run, 100_000)
  scene.host.sendFrame(run.jobId, 0, 'xy', 2)
  await scene.host.end(run, { promptTokens: 100_000, cachedTokens: 0, generatedTokens: 9_999 })
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  // Held are 1 + 32 + 8 for the prompt and 20 for the answer; the bytes would allow 2 + 64 + 16 for the prompt.
  expect(await total(scene.owner)).toBe(10_000 + 61)
  await balanced()
})

test('[R3] a receipt signed by another key is worth nothing', async () => {
  const scene = await newScene()
  const answer = chat(scene)
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'x')
  const usage = { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 }
  await scene.host.end(run, usage, { receipt: await scene.host.receipt(run, usage, await newHostKeys()) })
  expect((await answer).status).toBe(200)
  await settle(scene.key.key)
  expect([await total(scene.consumer), await total(scene.owner)]).toEqual([10_000, 10_000])
  await balanced()
})

test('[A7] a Consumer that leaves mid-stream stops the work and pays the part', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'part')
  const reader = (await answer).body!.getReader()
  while (!new TextDecoder().decode((await reader.read()).value).includes('part')) continue
  await reader.cancel()
  expect((await scene.host.receive('cancel')).jobId).toBe(run.jobId)
  await scene.host.end(
    run,
    { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 },
    { outcome: 'cancelled' },
  )
  await expect.poll(async () => (await settle(scene.key.key), total(scene.owner))).toBe(10_011)
  await balanced()
})

test('[A6] a Host lost mid-stream ends the stream with an error event, and is paid the part', async () => {
  const scene = await newScene()
  const answer = chat(scene, { stream: true })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'part')
  const response = await answer
  scene.host.close()
  const seen = await events(response)
  expect(seen.at(-1)).toMatchObject({ error: { code: 'host_lost' } })
  expect(seen).not.toContain('[DONE]')
  await expect.poll(async () => (await settle(scene.key.key), total(scene.owner))).toBe(10_011)
  await balanced()
})

test('forty concurrent requests: every credit is accounted for and no balance is negative', async () => {
  const scene = await newScene()
  const answers = Array.from({ length: 40 }, () => chat(scene, { max_tokens: 300 }))
  // A hold is 41 + 300, so 29 fit into 10,000; the others are refused or served from what comes back.
  const statuses = Promise.all(answers.map(async (answer) => (await answer).status))
  let served = 0
  const serving = (async () => {
    for (;;) {
      await scene.host.serve(['a', 'b'])
      served++
    }
  })()
  const all = await Promise.race([statuses, serving])
  expect(new Set(all)).toEqual(new Set([200, 402]))
  const paid = all.filter((status) => status === 200).length
  expect(served).toBe(paid)
  await settle(scene.key.key)
  expect(await total(scene.owner)).toBe(10_000 + paid * 12)
  expect(await total(scene.consumer)).toBe(10_000 - paid * 12)
  await balanced()
})

test('[K1, K2] one Idempotency-Key is charged once', async () => {
  const scene = await newScene()
  const headers = { 'idempotency-key': 'once' }
  const first = chat(scene, {}, { headers })
  const run = await scene.host.receive('run')
  const during = await chat(scene, {}, { headers })
  expect([during.status, await errorCode(during)]).toEqual([409, 'request_in_progress'])
  expect(during.headers.get('retry-after')).toBe('1')
  scene.host.accept(run)
  scene.host.sendFrame(run.jobId, 0, 'x')
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 })
  expect((await first).status).toBe(200)
  await settle(scene.key.key)
  const after = await chat(scene, {}, { headers })
  expect([after.status, await errorCode(after)]).toEqual([409, 'request_already_processed'])
  expect(after.headers.get('x-should-retry')).toBe('false')
  const other = await chat(scene, { temperature: 0 }, { headers })
  expect([other.status, await errorCode(other)]).toEqual([422, 'idempotency_key_reused'])
  expect(await total(scene.owner)).toBe(10_011)
})

test('[K3] a request that delivered nothing may run again under its key', async () => {
  const scene = await newScene()
  const headers = { 'idempotency-key': 'again' }
  const first = chat(scene, {}, { headers })
  const run = await scene.host.receive('run')
  scene.host.accept(run)
  await scene.host.end(run, { promptTokens: 10, cachedTokens: 0, generatedTokens: 0 }, { outcome: 'failed' })
  expect((await first).status).toBe(502)
  await settle(scene.key.key)
  const second = chat(scene, {}, { headers })
  await scene.host.serve(['x'])
  expect((await second).status).toBe(200)
})

test('[S1, S2] a Session has its own budget, is seen by its key only, and takes nothing once closed', async () => {
  const scene = await newScene()
  const created = await call('POST', '/v1/sessions', { token: scene.key.key, body: { budget: 150 } })
  expect(created.status).toBe(201)
  const { id } = await created.json<{ id: string }>()
  const headers = { 'daisi-session': id }
  const tooMuch = await chat(scene, { max_tokens: 200 }, { headers })
  expect(await errorCode(tooMuch)).toBe('insufficient_credits')
  const answer = chat(scene, {}, { headers })
  await scene.host.serve(['a'])
  expect((await answer).status).toBe(200)
  const stranger = await newKey(await newAccount('stranger'))
  for (const method of ['GET', 'DELETE']) {
    expect((await call(method, `/v1/sessions/${id}`, { token: stranger.key })).status).toBe(404)
  }
  expect((await chat({ key: stranger, model: scene.model }, {}, { headers })).status).toBe(404)
  const closed = await call('DELETE', `/v1/sessions/${id}`, { token: scene.key.key })
  expect(await closed.json()).toMatchObject({ status: 'closed', usage: { jobs: 1, credits: 11 } })
  expect(await errorCode(await chat(scene, {}, { headers }))).toBe('session_closed')
  expect(await total(scene.owner)).toBe(10_011)
  expect((await audit()).sum).toBe(0)
})

test('revoking a key ends the Sessions it opened', async () => {
  const scene = await newScene()
  const created = await call('POST', '/v1/sessions', { token: scene.key.key, body: {} })
  const { id } = await created.json<{ id: string }>()
  await call('DELETE', `/api/keys/${scene.key.id}`, { token: scene.consumer.token })
  const response = await chat(scene, {}, { headers: { 'daisi-session': id } })
  expect([response.status, await errorCode(response)]).toEqual([401, 'invalid_api_key'])
  await expect.poll(() => balanceOf(scene.consumer)).toMatchObject({ available: 10_000, held: 0 })
})

test('a revocation that comes before its Session is opened wins', async () => {
  const scene = await newScene()
  const session = sessionStub(env, openedSessionName('ses_late'))
  await session.revoke()
  const plain = sessionStub(env, plainSessionName(await hashCredential(scene.key.key)))
  const authorized = await plain.authorize(callerWith(await hashCredential(scene.key.key)), 'sessions')
  if (!authorized.ok) throw new Error(authorized.code)
  expect(await session.open({ ...authorized.record, sessionId: 'ses_late' })).toBe(false)
  await plain.revoke()
  const caller = callerWith(await hashCredential(scene.key.key))
  const later = { name: openedSessionName('ses_later'), expiresAt: Date.now() + 60_000, terms: {} }
  const adopted = await plain.adopt(caller, later)
  expect(adopted).toMatchObject({ ok: false, code: 'invalid_api_key' })
})

test('when D1 does not answer, the caller is told to come again, and nothing is kept', async () => {
  const scene = await newScene()
  await env.DB.prepare('ALTER TABLE secret_keys RENAME TO away').run()
  const [first, login] = [
    await chat(scene),
    await call('POST', `/api/apps/x/keys`, { token: scene.consumer.token, body: { name: 'k' } }),
  ]
  await env.DB.prepare('ALTER TABLE away RENAME TO secret_keys').run()
  expect([first.status, await errorCode(first), login.status]).toEqual([503, 'storage_unavailable', 404])
  const answer = chat(scene)
  await scene.host.serve(['back'])
  expect((await answer).status).toBe(200)
})
