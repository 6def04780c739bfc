import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { Browser, beginEmailLogin, codeTo, logIn, mailTo, newAddress } from './support/browser.ts'

function answer(browser: Browser, flow: string, code: string): Promise<Response> {
  return browser.call('POST', '/api/login/email/verify', { body: { flow, code } })
}

/** A browser at this address. */
function browserAt(address: string): Pick<Browser, 'call'> {
  const browser = new Browser()
  return {
    call: (method, path, options) =>
      browser.call(method, path, { ...options, headers: { 'cf-connecting-ip': address } }),
  }
}

test('a fourth flow of an address ends the oldest of who asks, and no other', async () => {
  const email = newAddress()
  const flows: [string, string][] = []
  for (const from of ['other', 'own', 'own', 'own', 'own']) {
    const browser = browserAt(from === 'own' ? '2001:db8::1' : '2001:db8:0:1::1')
    flows.push([await beginEmailLogin(browser, email), await codeTo(email)])
  }
  const statuses: number[] = []
  for (const [flow, code] of flows) statuses.push((await answer(new Browser(), flow, code)).status)
  expect(statuses).toEqual([204, 401, 204, 204, 204])
})

test('[I1] who asks for codes for somebody neither uses theirs up nor ends their login', async () => {
  const { email } = await logIn()
  const attacker = browserAt('198.51.100.66')
  const victim = browserAt('203.0.113.5')
  const flow = await beginEmailLogin(victim, email)
  const code = await codeTo(email)
  for (let begun = 0; begun < 20; begun++) await beginEmailLogin(attacker, email)
  expect((await answer(new Browser(), flow, code)).status).toBe(204)
  const again = await beginEmailLogin(victim, email)
  expect((await answer(new Browser(), again, await codeTo(email))).status).toBe(204)
  // The attacker is answered as if nothing had happened.
  expect(Object.keys(await begunBy(attacker, email))).toEqual(Object.keys(await begunBy(victim, email)))
})

async function begunBy(browser: Pick<Browser, 'call'>, email: string): Promise<object> {
  return (await browser.call('POST', '/api/login/email', { body: { email } })).json()
}

/** Begins many logins for an address, from here or there, and lets time pass. */
function beginner(email: string): {
  begin: (many: number, from: string) => Promise<number>
  age: (ms: number) => Promise<unknown>
} {
  return {
    begin: async (many, from) => {
      const browser = browserAt(from)
      await Promise.all(Array.from({ length: many }, () => beginEmailLogin(browser, email)))
      return (await mailTo(email)).length
    },
    age: (ms) =>
      env.DB.prepare('update login_flows set created_at = created_at - ? where email = ?')
        .bind(ms, email)
        .run(),
  }
}

const HOUR = 3_600_001

test('one asker begins five flows an hour and twenty a day for an address, also all at once', async () => {
  const { begin, age } = beginner(newAddress())
  for (const sent of [5, 10, 15, 20]) {
    expect(await begin(8, '192.0.2.1')).toBe(sent)
    await age(HOUR)
  }
  expect(await begin(1, '192.0.2.1')).toBe(20)
  expect(await begin(1, '192.0.2.2')).toBe(21)
  await age(24 * HOUR)
  expect(await begin(1, '192.0.2.1')).toBe(22)
})

test('all askers together begin twenty flows an hour and fifty a day for an address', async () => {
  const { begin, age } = beginner(newAddress())
  const from = (group: number, asker: number): string => `2001:db8:${group}:${asker}::1`
  const sent = []
  for (const group of [1, 2, 3]) {
    const before = sent.at(-1) ?? 0
    for (const asker of [1, 2, 3, 4]) await begin(5, from(group, asker))
    sent.push(await begin(1, from(group, 5)))
    expect(sent.at(-1)).toBeGreaterThan(before)
    await age(HOUR)
  }
  expect(sent).toEqual([20, 40, 50])
  await age(24 * HOUR)
  expect(await begin(1, from(1, 1))).toBe(51)
})

test('what is stored of who asks tells neither where nor for whom else', async () => {
  const browser = browserAt('198.51.100.9')
  const [one, two] = [newAddress(), newAddress()]
  for (const email of [one, one, two]) await beginEmailLogin(browser, email)
  const { results } = await env.DB.prepare('select email, asker from login_flows where email in (?, ?)')
    .bind(one, two)
    .all<{ email: string; asker: string }>()
  const askers = (email: string): Set<string> =>
    new Set(results.filter((row) => row.email === email).map(({ asker }) => asker))
  expect([askers(one).size, askers(two).size]).toEqual([1, 1])
  expect(askers(one)).not.toEqual(askers(two))
  expect(JSON.stringify(results)).not.toContain('198.51.100.9')
})
