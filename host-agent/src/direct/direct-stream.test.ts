import { once } from 'node:events'
import type { AcknowledgementClaims } from '@daisi/protocol'
import { DIRECT_WINDOW_TOKENS } from '@daisi/protocol'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { DirectSetup } from '../testing/direct-setup.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { newJobId } from '../testing/token-signer.ts'
import { STALL_MS } from './direct-delivery.ts'

/** What a Consumer says of a job so far. */
function claimsOf(token: string, jobId: string, generatedTokens: number): Omit<AcknowledgementClaims, 'iat'> {
  const { aud, sid } = decodeJwt<{ sid: string }>(token)
  return { aud: String(aud), sid, jobId, promptTokens: 5, cachedTokens: 0, generatedTokens }
}

/** Ids of so many tokens. */
function ids(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

describe('the stream', () => {
  test('[D4] role, text, finish, usage, [DONE]; tokens so far as ids; the prompt in headers', async () => {
    await using setup = await DirectSetup.start()
    const answering = setup.consumer.chat(
      await setup.token(),
      setup.body({ stream_options: { include_usage: true } }),
    )
    const run = await setup.engine.next()
    run.start(7, 2).delta('Hel', 11).delta('lo', 12, 13).end('stop')
    const answer = await answering
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'daisi-prompt-tokens': '7',
      'daisi-cached-tokens': '2',
      'access-control-allow-origin': '*',
    })
    expect(answer.headers['access-control-expose-headers']).toContain('daisi-prompt-tokens')
    expect(answer.headers['server']).toBeUndefined()
    const events = []
    for (let event = await answer.next(); event !== undefined; event = await answer.next()) events.push(event)
    expect(events.map(({ id }) => id)).toEqual([0, 1, 3, 3, 3, 3])
    expect(events.at(-1)?.data).toBe('[DONE]')
    const chunks = events.slice(0, -1).map(({ data }) => JSON.parse(data) as object)
    expect(chunks).toMatchObject([
      { model: 'test-model', choices: [{ delta: { role: 'assistant' }, finish_reason: null }] },
      { choices: [{ delta: { content: 'Hel' } }] },
      { choices: [{ delta: { content: 'lo' } }] },
      { choices: [{ delta: {}, finish_reason: 'stop' }] },
      {
        choices: [],
        usage: { prompt_tokens: 7, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 2 } },
      },
    ])
    expect(run.job).toMatchObject({ messages: [{ role: 'user' }], sampling: { maxTokens: 50 } })
  })

  test('[D4] a failure in the middle is an event, and no [DONE] follows', async () => {
    await using setup = await DirectSetup.start()
    const answering = setup.consumer.chat(await setup.token(), setup.body())
    ;(await setup.engine.next()).start().delta('a', 1).push({ type: 'failed', message: 'crashed' })
    const text = await (await answering).rest()
    expect(text).toContain('"code":"engine_failed"')
    expect(text).not.toContain('[DONE]')
  })

  test('[D4] refusals of slots and engine are answered with their status', async () => {
    await using setup = await DirectSetup.start({ slots: 1, queue: 0 })
    const first = setup.consumer.chat(await setup.token(), setup.body())
    const run = await setup.engine.next()
    const second = await setup.consumer.chat(await setup.token(), setup.body())
    expect([second.status, await second.errorCode()]).toEqual([503, 'busy'])
    expect(second.headers['retry-after']).toBeDefined()
    const numbers = { promptTokens: 120, contextLength: 100, message: 'too long' }
    run.push({ type: 'refused', refusal: { code: 'context_length_exceeded', ...numbers } })
    const answer = await first
    expect([answer.status, await answer.errorCode()]).toEqual([400, 'context_length_exceeded'])
  })

  test('[D5] the Host pauses at 64 unacknowledged tokens and goes on with the acknowledgement', async () => {
    await using setup = await DirectSetup.start()
    const token = await setup.token()
    const jobId = newJobId()
    const answering = setup.consumer.chat(token, setup.body(), { claims: { jti: jobId } })
    const run = await setup.engine.next()
    run.start()
    run
      .delta('a', ...ids(40))
      .delta('b', ...ids(24))
      .delta('c', ...ids(1))
      .delta('d', ...ids(20))
      .end()
    const answer = await answering
    await answer.next()
    expect(await answer.text()).toEqual({ id: 40, text: 'a' })
    expect(await answer.text()).toEqual({ id: DIRECT_WINDOW_TOKENS, text: 'b' })
    const following = answer.text()
    // An acknowledgement of nothing new is answered after the Host looked at everything else that it could send.
    const same = await setup.consumer.acknowledge(claimsOf(token, jobId, 0))
    expect(same.status).toBe(204)
    expect(await Promise.race([following, Promise.resolve('paused')])).toBe('paused')
    expect((await setup.consumer.acknowledge(claimsOf(token, jobId, 40))).status).toBe(204)
    expect(await following).toEqual({ id: 65, text: 'c' })
    expect(await answer.text()).toEqual({ id: 85, text: 'd' })
    expect(await answer.rest()).toContain('[DONE]')
  })

  test('[D5] the engine is granted no more bytes than the tokens that may still be sent can take', async () => {
    await using setup = await DirectSetup.start()
    const token = await setup.token()
    const jobId = newJobId()
    const answering = setup.consumer.chat(token, setup.body(), { claims: { jti: jobId } })
    const run = await setup.engine.next()
    expect(run.job.windowBytes).toBe(24 + 4 * DIRECT_WINDOW_TOKENS)
    run.start().delta('', ...ids(64))
    const answer = await answering
    await answer.next()
    await answer.text()
    expect(run.grants).toEqual([])
    await setup.consumer.acknowledge(claimsOf(token, jobId, 64))
    expect(run.grants).toEqual([24 + 4 * 64])
    answer.leave()
  })

  test('[D5] without acknowledgements for 30 seconds the job is ended', async () => {
    const clock = new ManualClock(Date.now())
    await using setup = await DirectSetup.start({ clock })
    const answering = setup.consumer.chat(await setup.token(), setup.body())
    const run = await setup.engine.next()
    run
      .start()
      .delta('a', ...ids(64))
      .delta('b', 1)
    const answer = await answering
    await answer.next()
    await answer.text()
    clock.advance(STALL_MS - 1)
    expect(run.signal.aborted).toBe(false)
    clock.advance(1)
    expect(run.signal.aborted).toBe(true)
    const rest = await answer.rest()
    expect(rest).toContain('"code":"unacknowledged"')
    expect(rest).not.toContain('[DONE]')
  })

  test('[D5] an answer that was cut is not given out as whole, though the engine had finished', async () => {
    const clock = new ManualClock(Date.now())
    await using setup = await DirectSetup.start({ clock })
    const answering = setup.consumer.chat(await setup.token(), setup.body())
    const run = await setup.engine.next()
    run
      .start()
      .delta('a', ...ids(64))
      .delta('b', 1)
      .end('stop')
    const answer = await answering
    await answer.next()
    await answer.text()
    clock.advance(STALL_MS)
    const rest = await answer.rest()
    expect(rest).toContain('"code":"unacknowledged"')
    expect(rest).not.toContain('"finish_reason":"stop"')
  })

  test('[D5] a reader that does not read stops the engine, however much it acknowledges', async () => {
    await using setup = await DirectSetup.start()
    const token = await setup.token()
    const jobId = newJobId()
    const answering = setup.consumer.chat(token, setup.body(), { claims: { jti: jobId } })
    const run = await setup.engine.next()
    run.start()
    const answer = await answering
    // Nothing is read from here on. Pieces this large do not exist; they fill the buffers of both kernels sooner.
    const text = 'x'.repeat(1024 * 1024)
    let acknowledged = 0
    let refused = 0
    while (refused < 3) {
      run.delta(text, acknowledged)
      const { status } = await setup.consumer.acknowledge(claimsOf(token, jobId, acknowledged + 1))
      if (status === 204) acknowledged++
      else refused++
      if (acknowledged > 500) throw new Error('half a gigabyte was written to a reader that reads nothing')
    }
    const aborted = once(run.signal, 'abort')
    answer.leave()
    await aborted
  })

  test('[A7] a Consumer that leaves stops the engine; one that leaves while it waits frees its place', async () => {
    await using setup = await DirectSetup.start({ slots: 1, queue: 1 })
    const answering = setup.consumer.chat(await setup.token(), setup.body())
    const run = await setup.engine.next()
    run.start().delta('a', 1)
    const answer = await answering
    await answer.next()
    const aborted = once(run.signal, 'abort')
    answer.leave()
    await aborted
    expect(run.signal.aborted).toBe(true)
    const next = setup.consumer.chat(await setup.token(), setup.body())
    ;(await setup.engine.next()).start().end()
    expect((await next).status).toBe(200)
  })

  test('[H5] a paused Host takes no direct jobs either', async () => {
    await using setup = await DirectSetup.start()
    setup.connection.send({ type: 'drain' })
    await setup.connection.next('status')
    const refused = await setup.consumer.chat(await setup.token(), setup.body())
    expect([refused.status, await refused.errorCode()]).toEqual([503, 'draining'])
  })

  test('[D1] hello has the address', async () => {
    await using setup = await DirectSetup.start()
    const hello = setup.connection.log.find(({ type }) => type === 'hello')
    expect(hello).toMatchObject({ direct: { endpoint: setup.consumer.endpoint } })
  })
})
