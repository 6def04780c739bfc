import { expect, test } from 'vitest'
import { newGrant } from './support/device.ts'
import { newAccount } from './support/orc.ts'
import { expectRefusal, statuses, strictOrc } from './support/strict-orc.ts'

test('[Y7] ten wrong user codes lock the person out for a while, and the address', async () => {
  const [guesser, friend] = [await newAccount('guesser'), await newAccount('friend')]
  const orc = strictOrc({ wrong_user_code: { perMinute: 1, burst: 10 } })
  const { user_code } = await newGrant({}, '192.0.2.9')
  const lookUp = (token: string, address: string, code: string) =>
    orc('POST', '/api/device/lookup', { address, token, body: { user_code: code } })
  const address = '192.0.2.10'
  expect(await statuses(10, () => lookUp(guesser.token, address, 'BBBB-BBBB'))).toEqual(
    Array.from({ length: 10 }, () => 404),
  )
  await expectRefusal(await lookUp(guesser.token, address, 'BBBB-BBBB'), 60)
  // Not even the right one, from wherever, nor by whom at this address, nor in the other routes.
  await expectRefusal(await lookUp(guesser.token, '192.0.2.11', user_code), 60)
  await expectRefusal(await lookUp(friend.token, address, user_code), 60)
  for (const route of ['approve', 'deny']) {
    const body = { user_code }
    await expectRefusal(
      await orc('POST', `/api/device/${route}`, { address, token: guesser.token, body }),
      60,
    )
  }
  expect((await lookUp(friend.token, '192.0.2.12', user_code)).status).toBe(200)
})

test('[Y7] a locked address costs nobody the tries of his own', async () => {
  const [guesser, neighbour] = [await newAccount('guesser'), await newAccount('neighbour')]
  const orc = strictOrc({ wrong_user_code: { perMinute: 1, burst: 2 } })
  const lookUp = (token: string, address: string) => () =>
    orc('POST', '/api/device/lookup', { address, token, body: { user_code: 'DDDD-DDDD' } })
  expect(await statuses(3, lookUp(guesser.token, '192.0.2.15'))).toEqual([404, 404, 429])
  expect(await statuses(4, lookUp(neighbour.token, '192.0.2.15'))).toEqual([429, 429, 429, 429])
  expect(await statuses(2, lookUp(neighbour.token, '192.0.2.16'))).toEqual([404, 404])
})

test('[Y7] many wrong user codes at once are ten', async () => {
  const { token } = await newAccount('guesser')
  const orc = strictOrc({ wrong_user_code: { perMinute: 1, burst: 10 } })
  const guess = (_: unknown, index: number) =>
    orc('POST', '/api/device/lookup', {
      address: `203.0.113.${index}`,
      token,
      body: { user_code: 'CCCC-CCCC' },
    })
  const found = await Promise.all(Array.from({ length: 40 }, guess))
  expect(found.filter(({ status }) => status === 404)).toHaveLength(10)
  expect(found.filter(({ status }) => status === 429)).toHaveLength(30)
})

test('[Y7] right user codes are never counted', async () => {
  const { token } = await newAccount('owner')
  const orc = strictOrc({ wrong_user_code: { perMinute: 1, burst: 2 } })
  const { user_code } = await newGrant({}, '192.0.2.13')
  const lookUp = () =>
    orc('POST', '/api/device/lookup', { address: '192.0.2.13', token, body: { user_code } })
  expect(await statuses(6, lookUp)).toEqual([200, 200, 200, 200, 200, 200])
})
