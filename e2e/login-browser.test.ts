import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { describe, expect, test as base } from 'vitest'
import { type RunningOrc, startOrc } from '../orc-local/src/orc/start-orc.ts'
import { launchBrowser, noBrowser } from './support/browser.ts'

/** An Orc that writes its login codes out, and a browser. Pages are opened as `localhost`, which browsers trust without TLS. */
const test = base.extend<{
  orc: { url: string; codes: EventEmitter; running: RunningOrc }
  browser: Browser
  context: BrowserContext
  page: Page
}>({
  orc: [
    // oxlint-disable-next-line no-empty-pattern -- Vitest reads from the pattern what a fixture needs
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'daisi-login-'))
      const codes = new EventEmitter()
      const running = await startOrc({
        stateDir: join(folder, 'orc'),
        port: 0,
        vars: { SIGN_UP: 'open', LOGIN_EMAIL: 'console', RATE_LIMITS: '{"login":null}' },
        onLoginCode: ({ email, code }) => codes.emit(email, code),
      })
      await use({ url: `http://localhost:${running.port}`, codes, running })
      await running.kill()
      await rm(folder, { recursive: true, force: true })
    },
    { scope: 'file' },
  ],
  browser: [
    // oxlint-disable-next-line no-empty-pattern -- as above
    async ({}, use) => {
      const browser = await launchBrowser()
      await use(browser)
      await browser.close()
    },
    { scope: 'file' },
  ],
  context: async ({ browser }, use) => {
    const context = await browser.newContext()
    await use(context)
    await context.close()
  },
  page: async ({ context }, use) => {
    const page = await context.newPage()
    // What the policy of a page forbids is said here, and whatever a script of it does wrong.
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text())
    })
    await use(page)
    expect(complaints).toEqual([])
  },
})

/** Fills in both forms, as somebody who reads the code elsewhere. */
async function logInByCode(page: Page, codes: EventEmitter, email: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  const sent: Promise<unknown[]> = once(codes, email)
  await page.getByRole('button', { name: 'Send me a code' }).click()
  const [code] = await sent
  await page.getByLabel('Code').fill(String(code))
  await page.getByRole('button', { name: 'Log in' }).click()
}

/** Gives the browser an authenticator of its own, as phones and laptops have one. */
async function addAuthenticator(context: BrowserContext, page: Page): Promise<() => Promise<number[]>> {
  const session = await context.newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return async () => {
    const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId })
    return credentials.map(({ signCount }) => signCount)
  }
}

describe.skipIf(noBrowser !== undefined)('in a browser', () => {
  test('somebody logs in by a code, adds a passkey, and logs in with it', async ({ orc, context, page }) => {
    const signCounts = await addAuthenticator(context, page)
    await page.goto(`${orc.url}/login`)
    await logInByCode(page, orc.codes, 'ada@example.test')
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByRole('button', { name: 'Remove' }).waitFor()
    const before = await signCounts()
    expect(before).toHaveLength(1)

    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.getByText('You are logged in as ada@example.test').waitFor()
    expect((await signCounts())[0]).toBeGreaterThan(before[0] ?? 0)
    const cookies = await context.cookies()
    expect(cookies).toMatchObject([
      { name: '__Host-daisi_login', httpOnly: true, secure: true, sameSite: 'Lax' },
    ])

    await page.getByRole('button', { name: 'Remove' }).click()
    await expect.poll(() => page.getByRole('button', { name: 'Remove' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.locator('#passkey-note').waitFor()
    expect(await page.getByLabel('E-mail address').isVisible()).toBe(true)
  })

  test('an owner lets a Host in by its code, through the login', async ({ orc, page }) => {
    const body = { client_id: 'daisi-host', host_id: 'h'.repeat(43), host_name: '<b>attic</b>' }
    const asked = await fetch(`${orc.running.url}/oauth/device_authorization`, {
      method: 'POST',
      body: new URLSearchParams(body),
    })
    const grant = (await asked.json()) as { device_code: string; user_code: string }
    const poll = async (): Promise<unknown> => {
      const fields = {
        client_id: 'daisi-host',
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: grant.device_code,
      }
      const answer = await fetch(`${orc.running.url}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams(fields),
      })
      return answer.json()
    }
    await page.goto(`${orc.url}/device?user_code=${grant.user_code}`)
    await logInByCode(page, orc.codes, 'grace@example.test')
    expect(await page.getByLabel('Code').inputValue()).toBe(grant.user_code)
    expect(await poll()).toMatchObject({ error: 'authorization_pending' })
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText('<b>attic</b>').waitFor()
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('status').waitFor()
    expect(await poll()).toMatchObject({ token_type: 'Bearer' })
  })

  test('the forms work without scripts', async ({ orc, browser }) => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(`${orc.url}/login`)
    expect(await page.getByRole('button', { name: 'Use a passkey' }).isVisible()).toBe(false)
    await logInByCode(page, orc.codes, 'joan@example.test')
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('E-mail address').waitFor()
    await context.close()
  })
})
