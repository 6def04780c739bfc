import { expect, test } from 'vitest'
import { githubPerson } from './github-person.ts'

const user = { id: 42, login: 'ada', name: 'Ada Lovelace' }

test('the verified primary address counts', () => {
  const emails = [
    { email: 'other@example.test', primary: false, verified: true },
    { email: 'Ada@Example.test', primary: true, verified: true },
  ]
  expect(githubPerson(user, emails)).toEqual({
    githubId: '42',
    name: 'Ada Lovelace',
    verifiedEmail: 'ada@example.test',
  })
})

test.each([
  ['no address', []],
  ['a primary address that is not verified', [{ email: 'a@example.test', primary: true, verified: false }]],
  [
    'a verified address that is not the primary one',
    [{ email: 'a@example.test', primary: false, verified: true }],
  ],
  [
    'an unverified primary address beside a verified other one',
    [
      { email: 'victim@example.test', primary: true, verified: false },
      { email: 'a@example.test', primary: false, verified: true },
    ],
  ],
  ['an address that is none', [{ email: 'not an address', primary: true, verified: true }]],
])('%s counts for nothing', (_, emails) => {
  expect(githubPerson(user, emails).verifiedEmail).toBeUndefined()
})

test.each([null, undefined, '   ', 'a\u202Eb', 'two\nlines', 'x'.repeat(65)])(
  'without a name that can be shown (%j) the login name stands',
  (name) => {
    expect(githubPerson({ ...user, name }, []).name).toBe('ada')
  },
)
