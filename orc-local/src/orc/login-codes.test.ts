import { expect, test as unit } from 'vitest'
import { call, test } from '../testing/orc-fixture.ts'
import { describeLoginCode, type LoginCode, readLoginLine } from './login-codes.ts'

const line = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({
    event: 'login_code',
    email: 'ada@example.org',
    code: '123456',
    expiresInSeconds: 600,
    ...fields,
  })

unit('a code is told plainly', () => {
  const found = readLoginLine(line({}))
  expect(found).toEqual({
    kind: 'code',
    code: { email: 'ada@example.org', code: '123456', expiresInSeconds: 600 },
  })
  if (found.kind === 'code')
    expect(describeLoginCode(found.code)).toBe('Login code for ada@example.org: 123 456 (10 minutes)')
})

unit.each([
  ['an address that a terminal would carry out', { email: 'a\u001b[2J@example.org' }],
  ['an address that turns the line around', { email: 'a\u202e@example.org' }],
  ['an address with a second line', { email: 'a@example.org\nLogin code for you' }],
  ['a code that is none', { code: '12 34 56' }],
  ['no end', { expiresInSeconds: 'soon' }],
])('%s is not shown', (_, fields) => {
  expect(readLoginLine(line(fields))).toEqual({ kind: 'unreadable' })
})

unit.each([
  'hello',
  '{"event":"login","code":"login_code"}',
  'null',
  '{"event":"login_code"',
  ` ${line({})}`,
  `error: ${line({})}`,
])('%j is an ordinary line', (text) => {
  expect(readLoginLine(text)).toEqual({ kind: 'other' })
})

test('the codes of a Worker go to the operator and not to the log', async ({ start }) => {
  const lines: string[] = []
  const codes: LoginCode[] = []
  const orc = await start({ log: (text) => lines.push(text), onLoginCode: (code) => codes.push(code) })
  await call(orc, '/say', [
    'before',
    line({}),
    line({ code: '987654', email: '\u001b@example.org' }),
    'after',
  ])
  await call(orc, '/complain', [line({ code: '111111' })])
  await orc.stop()
  expect(codes).toEqual([{ email: 'ada@example.org', code: '123456', expiresInSeconds: 600 }])
  expect(lines.join('\n')).not.toMatch(/123456|987654/)
  expect(lines).toEqual(expect.arrayContaining(['before', 'after']))
})
