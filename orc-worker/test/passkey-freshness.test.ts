import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { Authenticator } from './support/authenticator.ts'
import type { LoggedIn } from './support/browser.ts'
import { logIn, optionsFor, owner, register } from './support/passkeys.ts'
import { refusal } from './support/team.ts'

/** Lets time pass since a login, over its hourly change of cookie too. */
async function age({ me }: LoggedIn, minutes: number): Promise<void> {
  await env.DB.prepare('update login_sessions set created_at = created_at - ? where user_id = ?')
    .bind(minutes * 60_000, me.id)
    .run()
}

test('[I8] a login that is older than 15 minutes neither adds a passkey nor removes one', async () => {
  const person = await owner()
  const { browser, authenticator } = person
  await age(person, 14)
  expect((await register(browser, await Authenticator.make())).status).toBe(201)
  await age(person, 1)
  const path = `/api/me/passkeys/${authenticator.credentialId}`
  const attempts = [
    await browser.call('POST', '/api/me/passkeys/options', { body: {} }),
    await browser.call('DELETE', path),
  ]
  for (const attempt of attempts) expect(await refusal(attempt)).toEqual([403, 'login_too_old'])
  expect((await logIn(browser, authenticator)).status).toBe(204)
  expect((await register(browser, await Authenticator.make())).status).toBe(201)
  expect((await browser.call('DELETE', path)).status).toBe(204)
})

test('[I8] what was begun in time may be finished a little later, and no later', async () => {
  const person = await owner()
  const { browser } = person
  const begin = async (): Promise<unknown> => {
    const options = await optionsFor(browser, '/api/me/passkeys/options')
    const credential = await (await Authenticator.make()).register(options)
    return { flow: options.flow, name: 'key', credential }
  }
  const [soon, late] = [await begin(), await begin()]
  await age(person, 19)
  expect((await browser.call('POST', '/api/me/passkeys', { body: soon })).status).toBe(201)
  await age(person, 1)
  const response = await browser.call('POST', '/api/me/passkeys', { body: late })
  expect(await refusal(response)).toEqual([403, 'login_too_old'])
})

test('[I8] a change of the cookie makes no login young', async () => {
  const person = await owner()
  const before = person.browser.login
  await age(person, 61)
  await env.DB.prepare('update login_sessions set rotated_at = rotated_at - ? where user_id = ?')
    .bind(61 * 60_000, person.me.id)
    .run()
  const response = await person.browser.call('POST', '/api/me/passkeys/options', { body: {} })
  expect(await refusal(response)).toEqual([403, 'login_too_old'])
  expect(person.browser.login).not.toBe(before)
})

test('the page offers to add and remove passkeys while the login is young, and to log in again later', async () => {
  const person = await owner()
  const page = async (): Promise<boolean[]> => {
    const text = await (await person.browser.open('/login')).text()
    return ['id="passkey-add"', 'data-passkey=', 'Log in again', '<span>key</span>'].map((part) =>
      text.includes(part),
    )
  }
  expect(await page()).toEqual([true, true, false, true])
  await age(person, 15)
  expect(await page()).toEqual([false, false, true, true])
})
