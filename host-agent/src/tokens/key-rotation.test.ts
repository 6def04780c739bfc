import { SESSION_TOKEN_TYPE } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { LinkSetup } from '../testing/link-setup.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { TokenSigner, validClaims } from '../testing/token-signer.ts'
import { JwksSource, REFETCH_INTERVAL_MS } from './jwks-source.ts'
import { verifySessionToken } from './verify-session-token.ts'

const hostId = 'h'.repeat(43)
const issuer = 'https://orc.test'
const HOUR_MS = 60 * 60 * 1000

/** A Host's view of an Orc whose keys change, on a clock that the test moves. */
async function startHost() {
  const clock = new ManualClock(1_800_000_000_000)
  const [old, fresh] = await Promise.all(['old', 'fresh'].map((kid) => TokenSigner.create(kid)))
  if (old === undefined || fresh === undefined) throw new Error('no keys')
  const orc = { published: [old] }
  const source = new JwksSource({
    clock,
    stored: undefined,
    fetchKeys: async () => ({ keys: orc.published.map(({ publicJwk }) => ({ ...publicJwk, kty: 'OKP' })) }),
    store: async () => {},
  })
  const accepts = async (signer: TokenSigner): Promise<boolean> => {
    const token = await signer.sign(validClaims(hostId, issuer, clock.now()), { typ: SESSION_TOKEN_TYPE })
    const verdict = await verifySessionToken(token, {
      issuer,
      hostId,
      networks: ['home'],
      mode: 'orchestrated',
      getKey: source.getKey,
      nowMs: clock.now(),
    })
    await source.settled()
    return verdict.ok
  }
  return { clock, old, fresh, orc, source, accepts }
}

describe('an Orc changes its key', () => {
  test.each([0, 1, 1000, 15_000, 29_999])(
    '[T7] published half a minute before it signs, no job is refused, though the Host asked %i ms before',
    async (askedMsBefore) => {
      const { clock, old, fresh, orc, source, accepts } = await startHost()
      await source.refresh()
      clock.advance(askedMsBefore)
      orc.published = [old, fresh]
      clock.advance(REFETCH_INTERVAL_MS - askedMsBefore)
      expect(await accepts(old)).toBe(true)
      expect(await accepts(fresh)).toBe(true)
      expect(await accepts(old)).toBe(true)
    },
  )

  test('[T7] strangers who name made-up keys cannot keep the Host from the new one', async () => {
    const { clock, old, fresh, orc, source, accepts } = await startHost()
    const stranger = await TokenSigner.create('made-up')
    await source.refresh()
    clock.advance(1)
    orc.published = [old, fresh]
    for (let passedMs = 0; passedMs < REFETCH_INTERVAL_MS; passedMs += 100) {
      clock.advance(100)
      expect(await accepts(stranger)).toBe(false)
    }
    expect(await accepts(fresh)).toBe(true)
  })

  test('[T7] a withdrawn key is refused once the Host has asked again', async () => {
    const { clock, old, fresh, orc, source, accepts } = await startHost()
    await source.refresh()
    orc.published = [fresh]
    expect(await accepts(old)).toBe(true)
    clock.advance(HOUR_MS + 1)
    await accepts(old)
    expect(await accepts(old)).toBe(false)
    expect(await accepts(fresh)).toBe(true)
  })
})

describe('over a live connection', () => {
  test('[T7] a new signer: published, then used, then alone', async () => {
    const clock = new ManualClock(Date.now())
    await using setup = await LinkSetup.start({ clock })
    const connection = await setup.orc.welcomed()
    const passTime = (): void => {
      clock.advance(REFETCH_INTERVAL_MS)
      connection.sendRaw('pong')
    }
    const serve = async (): Promise<void> => {
      connection.send(await setup.orc.run(connection.hostId))
      ;(await setup.engine.next()).start().end()
      await connection.next('job-end')
    }
    await serve()
    const old = setup.orc.signer
    const fresh = await TokenSigner.create('key-2')
    setup.orc.publishedKeys = [fresh.publicJwk, old.publicJwk]
    await serve()
    passTime()
    setup.orc.signer = fresh
    await serve()
    // Withdrawn: a token of a third, made-up name is what makes the Host ask again.
    setup.orc.publishedKeys = [fresh.publicJwk]
    passTime()
    setup.orc.signer = await TokenSigner.create('made-up')
    connection.send(await setup.orc.run(connection.hostId))
    expect(await connection.next('refused')).toMatchObject({ code: 'token_invalid' })
    setup.orc.signer = old
    connection.send(await setup.orc.run(connection.hostId))
    expect(await connection.next('refused')).toMatchObject({ code: 'token_invalid' })
    setup.orc.signer = fresh
    await serve()
  })

  test('[T7] a Host that starts anew while the keys cannot be asked for verifies with those on its disk', async () => {
    await using first = await LinkSetup.start()
    const connection = await first.orc.welcomed()
    connection.send(await first.orc.run(connection.hostId))
    ;(await first.engine.next()).start().end()
    await connection.next('job-end')
    first.link.stop()
    await first.ended
    first.orc.publishedKeys = undefined
    await using second = await LinkSetup.start({
      orc: first.orc,
      record: first.record,
      identity: first.identity,
    })
    const again = await second.orc.welcomed()
    again.send(await second.orc.run(again.hostId))
    ;(await second.engine.next()).start().end()
    await again.next('job-end')
    second.orc.signer = await TokenSigner.create('key-1')
    again.send(await second.orc.run(again.hostId))
    expect(await again.next('refused')).toMatchObject({ code: 'token_invalid' })
  })
})
