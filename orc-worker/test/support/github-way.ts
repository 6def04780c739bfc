import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import { GITHUB, type GithubScene } from './github-stub.ts'
import { Browser, INVITED } from './browser.ts'

let people = 0

/** Somebody new at GitHub. */
export function someone(
  scene: Partial<GithubScene> = {},
): Required<Pick<GithubScene, 'user' | 'emails'>> & GithubScene {
  const id = 1000 + people++
  return {
    user: { id, login: `person-${id}`, name: `Person ${id}` },
    emails: [{ email: `person-${id}@example.test`, primary: true, verified: true }],
    ...scene,
  }
}

/** Somebody whom the Orc knows by this address. */
export async function invitePerson(email: string): Promise<void> {
  const statement = env.DB.prepare(
    `insert into users (id, email, name, created_at) values (?, ?, 'invited', 0)`,
  )
  await statement.bind(`usr_${email}`, email).run()
}

/** Where an answer leads. */
export function locationOf(response: Response): string {
  return response.headers.get('location') ?? ''
}

/** Presses "Continue with GitHub": where GitHub is asked. */
export async function beginAtGithub(browser: Browser, query = ''): Promise<URL> {
  const response = await browser.open(`/login/github${query}`)
  expect(response.status).toBe(303)
  return new URL(locationOf(response))
}

/** What the person does at GitHub: where GitHub sends the browser back to. */
export async function atGithub(asked: URL, scene: GithubScene): Promise<string> {
  asked.searchParams.set('login', JSON.stringify(scene))
  const response = await fetch(asked, { redirect: 'manual' })
  expect(response.status).toBe(302)
  const back = new URL(locationOf(response))
  expect(back.origin + back.pathname).toBe(GITHUB.callback)
  return back.pathname + back.search
}

/** The whole way, in a browser of one's own. */
export async function logInByGithub(scene: GithubScene, browser = new Browser(INVITED)): Promise<Response> {
  return browser.open(await atGithub(await beginAtGithub(browser), scene))
}
