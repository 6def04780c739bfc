import { once } from 'node:events'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { loadIdentity } from '../state/identity.ts'
import { DirectConsumer } from '../testing/direct-consumer.ts'
import { DirectSetup } from '../testing/direct-setup.ts'
import { FakeOrc } from '../testing/fake-orc.ts'
import { LinkSetup } from '../testing/link-setup.ts'
import { newJobId, validClaims } from '../testing/token-signer.ts'
import { createLogger } from '../log.ts'
import { DirectService } from './direct-service.ts'

/** A job of two tokens that goes on until the engine's run is ended. */
async function begin(setup: DirectSetup) {
  const token = await setup.token()
  const jobId = newJobId()
  const answering = setup.consumer.chat(token, setup.body(), { claims: { jti: jobId } })
  const run = await setup.engine.next()
  run.start().delta('ab', 1, 2)
  const answer = await answering
  await answer.next()
  await answer.text()
  const { aud, sid } = decodeJwt<{ sid: string }>(token)
  const prompt = { promptTokens: 5, cachedTokens: 0 }
  const acknowledge = (generatedTokens: number) =>
    setup.consumer.acknowledge({ aud: String(aud), sid, jobId, ...prompt, generatedTokens })
  return { jobId, run, answer, acknowledge }
}

test('[H5] a Host that stops lets its direct jobs end and waits for their last acknowledgements', async () => {
  await using setup = await DirectSetup.start()
  const { jobId, run, answer, acknowledge } = await begin(setup)
  const drained = setup.host.link.drain(new AbortController().signal)
  const refused = await setup.consumer.chat(await setup.token(), setup.body())
  expect(await refused.errorCode()).toBe('draining')
  run.end()
  expect(await answer.rest()).toContain('[DONE]')
  expect((await acknowledge(2)).status).toBe(204)
  await drained
  expect((await setup.connection.next('direct-report')).jobId).toBe(jobId)
})

test.each([true, false])(
  '[H5] what waits for a slot is refused when the Host stops (online: %s)',
  async (online) => {
    await using setup = await DirectSetup.start({ slots: 1, queue: 1 })
    const { run, answer } = await begin(setup)
    const waiting = setup.consumer.chat(await setup.token(), setup.body())
    const admitted = (): number => setup.logLines.filter((line) => line.includes('"msg":"job"')).length
    while (admitted() < 2) await new Promise(setImmediate)
    if (!online) {
      await setup.orc.close()
      while (setup.host.link.status.state === 'online') await new Promise(setImmediate)
    }
    const drained = setup.host.link.drain(new AbortController().signal)
    expect(await (await waiting).errorCode()).toBe('draining')
    run.end()
    expect(await answer.rest()).toContain('[DONE]')
    setup.host.link.stop()
    await drained
  },
)

test('[H5] when its time is over they are cancelled, say so, and what was acknowledged is reported', async () => {
  await using setup = await DirectSetup.start()
  const { jobId, run, answer, acknowledge } = await begin(setup)
  await acknowledge(1)
  const deadline = new AbortController()
  const drained = setup.host.link.drain(deadline.signal)
  deadline.abort()
  await drained
  expect(run.signal.aborted).toBe(true)
  const rest = await answer.rest()
  expect(rest).toContain('"code":"draining"')
  expect(rest).not.toContain('[DONE]')
  const report = await setup.connection.next('direct-report')
  expect([report.jobId, decodeJwt(report.acknowledgement)['generatedTokens']]).toEqual([jobId, 1])
})

test('[C4] a Host that its Orc removed serves none of its Sessions any more', async () => {
  await using setup = await DirectSetup.start()
  const { run, answer } = await begin(setup)
  const aborted = once(run.signal, 'abort')
  setup.connection.close(4403)
  await aborted
  expect(await answer.rest()).toContain('"code":"draining"')
  await setup.host.ended
  const refused = await setup.consumer.chat(await setup.token(), setup.body())
  expect([refused.status, await refused.errorCode()]).toEqual([401, 'token_invalid'])
})

test('[T2][D8] of several Orcs, each one vouches for its own Sessions and hears of these alone', async () => {
  const orcs = [
    await FakeOrc.start({ issuer: 'https://a.test' }),
    await FakeOrc.start({ issuer: 'https://b.test' }),
  ]
  const [first, second] = orcs
  if (first === undefined || second === undefined) throw new Error('no Orcs')
  await using one = await LinkSetup.start({ orc: first })
  one.link.stop()
  const identity = await loadIdentity(one.stateFolder)
  const service = await DirectService.open({
    plan: { listen: { host: '127.0.0.1', port: 0 }, url: undefined, protection: 'loopback' },
    hostId: identity.hostId,
    stateFolder: one.stateFolder,
    orcUrls: orcs.map(({ url }) => url),
    logger: createLogger('silent', 'json'),
  })
  const start = async (orc: FakeOrc) => {
    const online = Promise.withResolvers<void>()
    const host = await LinkSetup.start({ orc, identity, direct: service, onOnline: () => online.resolve() })
    const connection = await orc.welcomed()
    await online.promise
    return { host, connection }
  }
  const a = await start(first)
  const b = await start(second)
  const consumer = await DirectConsumer.create()
  consumer.endpoint = service.offer.endpoint
  const claims = (orc: FakeOrc) => ({
    ...validClaims(identity.hostId, orc.issuer, Date.now()),
    mode: 'direct' as const,
    model: 'test-model',
    cnf: { jkt: consumer.thumbprint },
  })
  const messages = [{ role: 'user', content: 'hello' }]
  const body = JSON.stringify({ model: 'test-model', messages, stream: true, max_tokens: 50 })
  // Signed by one, in the name of the other.
  const forged = await consumer.chat(await first.signer.sign(claims(second)), body)
  expect([forged.status, await forged.errorCode()]).toEqual([401, 'token_invalid'])
  const jobId = newJobId()
  const own = claims(second)
  const answering = consumer.chat(await second.signer.sign(own), body, { claims: { jti: jobId } })
  ;(await b.host.engine.next()).start().delta('a', 1).end()
  await (await answering).rest()
  const prompt = { promptTokens: 5, cachedTokens: 0 }
  await consumer.acknowledge({ aud: identity.hostId, sid: own.sid, jobId, ...prompt, generatedTokens: 1 })
  expect(decodeJwt((await b.connection.next('direct-report')).receipt).aud).toBe('https://b.test')
  a.connection.send(await first.run(identity.hostId, { kind: 'tool' }))
  await a.connection.next('refused')
  expect(a.connection.log.some(({ type }) => type === 'direct-report')).toBe(false)
  await a.host[Symbol.asyncDispose]()
  await b.host[Symbol.asyncDispose]()
  await service.close()
})
