import { describe, expect, test, vi } from 'vitest'
import { client, errorOf, request } from '../test/client.ts'
import { answer, FakeOrc, KEY, refusal } from '../test/fake-orc.ts'
import { cachedToken } from './cached-token.ts'

describe('tokens.create', () => {
  test('asks for a token with these limits', async () => {
    const orc = new FakeOrc()
    const wanted = {
      origins: ['https://app.example.com'],
      budget: 500,
      ttl_seconds: 900,
      models: ['daisi-nano'],
    }
    expect(await client(orc).tokens.create(wanted)).toMatchObject({
      token: 'daisi_bt_test',
      expires_at: 900,
      budget: 500,
    })
    expect(orc.seen).toMatchObject([{ method: 'POST', url: { pathname: '/v1/tokens' }, body: wanted }])
    expect(orc.seen[0]?.headers.get('authorization')).toBe(`Bearer ${KEY}`)
  })

  test('throws what the Orc says', async () => {
    const orc = new FakeOrc().next(answer(() => refusal(403, 'insufficient_scope')))
    expect(await errorOf(client(orc).tokens.create({ origins: [] }))).toMatchObject({
      code: 'insufficient_scope',
    })
  })
})

describe('cachedToken', () => {
  /** A server that gives out tokens, each for a minute. */
  function server(): {
    now: number
    fetchToken: () => Promise<{ token: string; expires_at: number }>
    given: number
  } {
    const state = {
      now: 1_000_000,
      given: 0,
      fetchToken: () => Promise.resolve({ token: '', expires_at: 0 }),
    }
    state.fetchToken = () => {
      state.given += 1
      return Promise.resolve({ token: `daisi_bt_${state.given}`, expires_at: state.now / 1_000 + 60 })
    }
    return state
  }

  test('one fetch for all calls until shortly before the end, then another', async () => {
    const state = server()
    const apiKey = cachedToken(
      () => state.fetchToken(),
      () => state.now,
    )
    expect(await Promise.all([apiKey(), apiKey(), apiKey()])).toEqual([
      'daisi_bt_1',
      'daisi_bt_1',
      'daisi_bt_1',
    ])
    state.now += 29_000
    expect(await apiKey()).toBe('daisi_bt_1')
    state.now += 1_000
    expect(await Promise.all([apiKey(), apiKey()])).toEqual(['daisi_bt_2', 'daisi_bt_2'])
    expect(state.given).toBe(2)
  })

  test('a fetch that fails is thrown to who waits, and not remembered', async () => {
    const failure = new Error('signed out')
    const fetchToken = vi.fn<() => Promise<{ token: string; expires_at: number }>>()
    fetchToken.mockRejectedValueOnce(failure).mockResolvedValue({ token: 'daisi_bt_1', expires_at: 2_000 })
    const apiKey = cachedToken(fetchToken, () => 0)
    const both = [apiKey(), apiKey()]
    for (const call of both) await expect(call).rejects.toBe(failure)
    expect(await apiKey()).toBe('daisi_bt_1')
    expect(fetchToken).toHaveBeenCalledTimes(2)
  })

  test('a token that is short-lived from the start is used once', async () => {
    const fetchToken = vi.fn(() => Promise.resolve({ token: 'daisi_bt_1', expires_at: 10 }))
    const apiKey = cachedToken(fetchToken, () => 0)
    expect([await apiKey(), await apiKey()]).toEqual(['daisi_bt_1', 'daisi_bt_1'])
    expect(fetchToken).toHaveBeenCalledTimes(2)
  })

  test('is an apiKey', async () => {
    const orc = new FakeOrc()
    const apiKey = cachedToken(() => Promise.resolve({ token: KEY, expires_at: Date.now() }))
    await client(orc, { apiKey }).chat.create(request)
    expect(orc.charged).toBe(1)
  })
})
