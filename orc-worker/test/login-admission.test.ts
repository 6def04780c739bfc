import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { database } from '../src/db/client.ts'
import { type Admission, type ProvenIdentity, admitPerson } from '../src/db/login-admission.ts'
import { newAddress } from './support/browser.ts'
import { audit, newAccount } from './support/orc.ts'
import { inviteByToken } from './support/team.ts'

const db = database(env)
let people = 0

/** Somebody new whom GitHub knows, with a verified address. */
function newcomer(): Required<ProvenIdentity> & { email: string } {
  return { email: newAddress(), name: 'Newcomer', githubId: String(1_000_000 + people++) }
}

function admit(identity: ProvenIdentity, signUp: 'invited' | 'open' = 'invited'): Promise<Admission> {
  return admitPerson(db, identity, { signUp, signupGrant: 500 }, Date.now())
}

/** The id of somebody who comes in now. */
async function admitted(identity: ProvenIdentity, signUp?: 'invited' | 'open'): Promise<string> {
  const admission = await admit(identity, signUp)
  if (!admission.ok) throw new Error('was not let in')
  return admission.userId
}

async function accountsOf(userId: string): Promise<unknown[]> {
  const { results } = await env.DB.prepare(
    `select accounts.name, role, balance from members join accounts on accounts.id = account_id
      join ledger_accounts on ledger_accounts.id = account_id where user_id = ?`,
  )
    .bind(userId)
    .all()
  return results
}

test('a stranger comes in where sign-up is open, with an account and its grant, in a book that is right', async () => {
  const person = newcomer()
  expect(await admit(person)).toEqual({ ok: false })
  const userId = await admitted(person, 'open')
  expect(await accountsOf(userId)).toEqual([{ name: 'Newcomer', role: 'owner', balance: 500 }])
  expect(await audit()).toMatchObject({ sum: 0, drifted: 0, misplaced: 0, overdrawn: 0, unexplained: 0 })
})

test('somebody without a verified address comes in where sign-up is open, and again afterwards', async () => {
  const person = { ...newcomer(), email: null }
  expect(await admit(person)).toEqual({ ok: false })
  const userId = await admitted(person, 'open')
  expect(await admitted(person)).toBe(userId)
})

test('who is known by an address is known by GitHub from then on, whatever address GitHub has later', async () => {
  const person = newcomer()
  const userId = await admitted({ email: person.email, name: 'x' }, 'open')
  expect(await admitted(person)).toBe(userId)
  expect(await admitted({ ...person, email: newAddress() })).toBe(userId)
  expect(await admitted({ ...person, email: null })).toBe(userId)
})

test('another GitHub user with the address of a person is not that person', async () => {
  const person = newcomer()
  await admitted(person, 'open')
  for (const signUp of ['invited', 'open'] as const)
    expect(await admit({ ...newcomer(), email: person.email }, signUp)).toEqual({ ok: false })
})

test('a GitHub user who has the address of another person by now stays who they are', async () => {
  const [one, two] = [newcomer(), newcomer()]
  const ids = [await admitted(one, 'open'), await admitted(two, 'open')]
  expect(await admitted({ ...two, email: one.email })).toBe(ids[1])
})

test('an invitation lets in whoever proves its address, by whatever way', async () => {
  const team = await newAccount('team')
  const person = newcomer()
  await inviteByToken(team, person.email, 'viewer')
  expect(await admit({ ...person, email: newAddress() })).toEqual({ ok: false })
  expect(await accountsOf(await admitted(person))).toEqual([])
})

test('who comes in several times at once is one person with one account', async () => {
  for (let round = 0; round < 5; round++) {
    const person = { ...newcomer(), name: crypto.randomUUID() }
    const ids = await Promise.all(Array.from({ length: 4 }, () => admitted(person, 'open')))
    expect(new Set(ids).size).toBe(1)
    expect(await accountsOf(ids[0] ?? '')).toHaveLength(1)
    const { results } = await env.DB.prepare('select id from accounts where name = ?').bind(person.name).all()
    expect(results).toHaveLength(1)
  }
})
