import { env } from 'cloudflare:workers'
import type { AccountCreated, InvitationView, OperatorList } from '@daisi/protocol'
import { expect, test, vi } from 'vitest'
import { type LoggedIn, logIn, meOf, newAddress } from './support/browser.ts'
import { call, newAccount, operatorAccount } from './support/orc.ts'
import { refusal } from './support/team.ts'

/** Makes a person an operator with the token of the operator account. */
async function operator(): Promise<LoggedIn> {
  const { token } = await operatorAccount()
  const person = await logIn()
  expect((await call('POST', '/api/operators', { token, body: { email: person.email } })).status).toBe(204)
  return person
}

test('[I5] a grant opens what operators do, from the next request on and until it is taken back', async () => {
  const { token } = await operatorAccount()
  const person = await logIn()
  expect(await refusal(await person.browser.call('GET', '/api/audit'))).toEqual([403, 'forbidden'])
  expect(
    await refusal(await person.browser.call('POST', '/api/operators', { body: { email: person.email } })),
  ).toEqual([403, 'forbidden'])
  await call('POST', '/api/operators', { token, body: { email: person.email.toUpperCase() } })
  expect((await person.browser.call('GET', '/api/audit')).status).toBe(200)
  expect((await meOf(person.browser)).operator).toBe(true)
  const { operators } = await (await person.browser.call('GET', '/api/operators')).json<OperatorList>()
  expect(operators).toContainEqual(
    expect.objectContaining({ user_id: person.me.id, email: person.email, granted_by: 'acc_operator' }),
  )
  expect((await call('DELETE', `/api/operators/${person.me.id}`, { token })).status).toBe(204)
  expect(await refusal(await person.browser.call('GET', '/api/audit'))).toEqual([403, 'forbidden'])
  expect((await meOf(person.browser)).operator).toBe(false)
})

test('an operator makes another, and may take the last grant back: the token remains', async () => {
  const { token } = await operatorAccount()
  const [one, two] = [await operator(), await logIn()]
  expect((await one.browser.call('POST', '/api/operators', { body: { email: two.email } })).status).toBe(204)
  expect((await one.browser.call('POST', '/api/operators', { body: { email: two.email } })).status).toBe(204)
  const { operators } = await (await two.browser.call('GET', '/api/operators')).json<OperatorList>()
  expect(operators.find(({ user_id }) => user_id === two.me.id)?.granted_by).toBe(one.me.id)
  for (const { user_id } of operators.filter(({ user_id }) => user_id !== two.me.id))
    expect((await two.browser.call('DELETE', `/api/operators/${user_id}`)).status).toBe(204)
  expect(await refusal(await two.browser.call('DELETE', `/api/operators/${one.me.id}`))).toEqual([
    404,
    'not_found',
  ])
  expect((await two.browser.call('DELETE', `/api/operators/${two.me.id}`)).status).toBe(204)
  expect(await (await call('GET', '/api/operators', { token })).json()).toEqual({ operators: [] })
})

test('a grant is for somebody who has logged in', async () => {
  const { token } = await operatorAccount()
  const unknown = await call('POST', '/api/operators', { token, body: { email: newAddress() } })
  expect(await refusal(unknown)).toEqual([404, 'not_found'])
})

test('what a person does as operator is done by the operator account, and noted', async () => {
  const { browser, me } = await operator()
  const account = await newAccount('somebody')
  const log = vi.spyOn(console, 'log')
  const frozen = await browser.call('POST', `/api/accounts/${account.id}/freezes`, {
    body: { amount: 1, note: 'why' },
  })
  const lines = log.mock.calls.map(([line]) => String(line))
  log.mockRestore()
  expect(frozen.status).toBe(201)
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      event: 'operator_action',
      userId: me.id,
      method: 'POST',
      route: '/api/accounts/:account/freezes',
      requestId: expect.stringMatching(/^req_/),
    },
  ])
  const row = await env.DB.prepare('select operator_id o from freezes where account_id = ?')
    .bind(account.id)
    .first()
  expect(row).toEqual({ o: 'acc_operator' })
})

test('operating by login takes a page of this Orc, like everything by login', async () => {
  const { browser } = await operator()
  const headers = { origin: 'https://evil.test' }
  const body = { email: newAddress() }
  expect(await refusal(await browser.call('POST', '/api/operators', { body, headers }))).toEqual([
    403,
    'cross_site_request',
  ])
})

test('[I5] an owner of the operator account is no operator, and does not reach its token', async () => {
  const { token } = await operatorAccount()
  const owner = await logIn()
  const invited = await call('POST', '/api/members', { token, body: { email: owner.email, role: 'owner' } })
  const { id } = await invited.json<InvitationView>()
  await owner.browser.call('POST', `/api/me/invitations/${id}/accept`)
  const headers = { 'daisi-account': 'acc_operator' }
  expect((await owner.browser.call('GET', '/api/account', { headers })).status).toBe(200)
  expect((await meOf(owner.browser)).operator).toBe(false)
  const attempts = [
    await owner.browser.call('GET', '/api/audit', { headers }),
    await owner.browser.call('POST', '/api/operators', { headers, body: { email: owner.email } }),
    await owner.browser.call('POST', '/api/account/token', { headers }),
  ]
  for (const attempt of attempts) expect(await refusal(attempt)).toEqual([403, 'forbidden'])
  expect((await call('GET', '/api/audit', { token })).status).toBe(200)
})

// Last, since the token of this file's Orc is another one from here on.
test('an operator who is an owner of the operator account replaces its token', async () => {
  const { token } = await operatorAccount()
  const both = await operator()
  const invited = await call('POST', '/api/members', { token, body: { email: both.email, role: 'owner' } })
  await both.browser.call('POST', `/api/me/invitations/${(await invited.json<InvitationView>()).id}/accept`)
  const headers = { 'daisi-account': 'acc_operator' }
  const replaced = await both.browser.call('POST', '/api/account/token', { headers })
  const fresh = (await replaced.json<AccountCreated>()).token
  expect(await refusal(await call('GET', '/api/audit', { token }))).toEqual([401, 'invalid_api_key'])
  expect((await call('GET', '/api/audit', { token: fresh })).status).toBe(200)
})

test('[I7] the operators’ token ends with the grant of who made it, and the last operator keeps theirs', async () => {
  // The token of the set-up may be gone by now.
  const [bad, good] = [await logIn(), await logIn()]
  for (const { me } of [bad, good])
    await env.DB.prepare(`insert into operators values (?, 'acc_operator', 0)`).bind(me.id).run()
  await env.DB.prepare(`insert into members values ('acc_operator', ?, 'owner', 0)`).bind(bad.me.id).run()
  const headers = { 'daisi-account': 'acc_operator' }
  const made = await bad.browser.call('POST', '/api/account/token', { headers })
  const { token } = await made.json<AccountCreated>()
  const again = await call('POST', '/api/account/token', { token })
  const { token: second } = await again.json<AccountCreated>()
  const grant = (token: string): Promise<Response> =>
    call('POST', '/api/operators', { token, body: { email: bad.email } })
  expect((await grant(second)).status).toBe(204)
  // Those that other tests made go first.
  const { operators } = await (await good.browser.call('GET', '/api/operators')).json<OperatorList>()
  for (const { user_id } of operators.filter(({ user_id }) => ![bad.me.id, good.me.id].includes(user_id)))
    expect((await good.browser.call('DELETE', `/api/operators/${user_id}`)).status).toBe(204)
  expect((await good.browser.call('DELETE', `/api/operators/${bad.me.id}`)).status).toBe(204)
  expect(await refusal(await grant(second))).toEqual([401, 'invalid_api_key'])
  expect(await refusal(await good.browser.call('DELETE', `/api/operators/${good.me.id}`))).toEqual([
    409,
    'conflict',
  ])
  expect((await meOf(good.browser)).operator).toBe(true)
})
