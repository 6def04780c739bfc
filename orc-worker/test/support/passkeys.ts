import type { PasskeyOptions } from '@daisi/protocol'
import { expect } from 'vitest'
import { Authenticator, type Bent } from './authenticator.ts'
import { type Browser, type LoggedIn, logIn as logInByEmail } from './browser.ts'

/** What the Orc gives for a passkey to be made or shown. */
export async function optionsFor(browser: Browser, path: string): Promise<PasskeyOptions> {
  const response = await browser.call('POST', path, { body: {} })
  expect(response.status).toBe(200)
  expect(response.headers.get('cache-control')).toBe('no-store')
  return response.json()
}

/** Adds a passkey. */
export async function register(
  browser: Browser,
  authenticator: Authenticator,
  bent: Bent = {},
): Promise<Response> {
  const options = await optionsFor(browser, '/api/me/passkeys/options')
  const credential = await authenticator.register(options, bent)
  return browser.call('POST', '/api/me/passkeys', { body: { flow: options.flow, name: 'key', credential } })
}

/** Logs in with a passkey. */
export async function logIn(
  browser: Browser,
  authenticator: Authenticator,
  bent: Bent = {},
): Promise<Response> {
  const options = await optionsFor(browser, '/api/login/passkey/options')
  const credential = await authenticator.logIn(options, bent)
  return browser.call('POST', '/api/login/passkey', { body: { flow: options.flow, credential } })
}

/** Somebody with a passkey. */
export async function owner(): Promise<LoggedIn & { authenticator: Authenticator }> {
  const person = await logInByEmail()
  const authenticator = await Authenticator.make()
  expect((await register(person.browser, authenticator)).status).toBe(201)
  return { ...person, authenticator }
}
