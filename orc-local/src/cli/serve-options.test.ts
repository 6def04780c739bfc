import { Command } from 'commander'
import { expect, test } from 'vitest'
import { Failure } from '../exit-codes.ts'
import type { OrcOptions } from '../orc/start-orc.ts'
import { orcOptions, serveOptions } from './serve-options.ts'

/** What an Orc is started with for a command line and these secrets. */
function parse(args: readonly string[], environment: Readonly<Record<string, string>> = {}): OrcOptions {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined })
  for (const option of serveOptions()) command.addOption(option)
  return orcOptions(command.parse(args, { from: 'user' }).opts(), environment)
}

test('by default it is for this machine, and codes appear on its terminal', () => {
  expect(parse([])).toEqual({
    stateDir: '.daisi/orc',
    host: '127.0.0.1',
    port: 8787,
    isPrivate: false,
    vars: { LOGIN_EMAIL: 'console' },
    secrets: {},
  })
})

test('what is given reaches the Worker, secrets from the environment alone', () => {
  const args = ['--sign-up', 'open', '--github-client-id', 'g', '--name', 'Lab']
  const email = ['--email-endpoint', 'https://mail.example/send', '--email-from', 'orc@example.org']
  const secrets = { DAISI_GITHUB_CLIENT_SECRET: 's', DAISI_EMAIL_TOKEN: 't', DAISI_OTHER: 'x' }
  expect(parse([...args, ...email], secrets)).toMatchObject({
    vars: {
      ORC_NAME: 'Lab',
      SIGN_UP: 'open',
      GITHUB_CLIENT_ID: 'g',
      LOGIN_EMAIL: 'http',
      EMAIL_ENDPOINT: 'https://mail.example/send',
      EMAIL_FROM: 'orc@example.org',
    },
    secrets: { EMAIL_TOKEN: 't', GITHUB_CLIENT_SECRET: 's' },
  })
})

test('TLS is of its own or with given files', () => {
  expect(parse(['--tls'])).toMatchObject({ tls: 'self-signed' })
  expect(parse(['--tls-cert', 'c.pem', '--tls-key', 'k.pem'])).toMatchObject({
    tls: { certificateFile: 'c.pem', keyFile: 'k.pem' },
  })
  expect(parse(['--private'])).toMatchObject({ isPrivate: true })
})

test.each(['', '0', 'false', 'No', 'off'])('a variable that says %j switches nothing on', (no) => {
  expect(parse([], { DAISI_TLS: no, DAISI_PRIVATE: no })).toEqual(parse([]))
  expect(parse(['--private'], { DAISI_PRIVATE: no })).toMatchObject({ isPrivate: true })
})

test.each(['1', 'true', 'yes', 'please'])('one that says %j does', (yes) => {
  const both = { tls: 'self-signed', isPrivate: true }
  expect(parse([], { DAISI_TLS: yes, DAISI_PRIVATE: yes })).toMatchObject(both)
  expect(() => parse(['--sign-up', 'open'], { DAISI_PRIVATE: yes })).toThrow(Failure)
})

test('public names are collected', () => {
  const args = ['--public-name', 'orc.example', '--public-name', '10.0.0.1:443, [::5]']
  expect(parse(args)).toMatchObject({ publicNames: ['orc.example', '10.0.0.1:443', '[::5]'] })
})

test.each([
  ['half a certificate', ['--tls-key', 'k.pem']],
  ['e-mail without a sender', ['--email-endpoint', 'https://mail.example/']],
  ['a sender without e-mail', ['--email-from', 'orc@example.org']],
  ['GitHub without its secret', ['--github-client-id', 'g']],
  ['a private Orc that is open', ['--private', '--sign-up', 'open']],
  [
    'a private Orc that sends e-mail',
    ['--private', '--email-endpoint', 'https://mail.example/', '--email-from', 'orc@example.org'],
  ],
])('%s is refused', (_, args) => {
  expect(() => parse(args)).toThrow(Failure)
})

test.each([
  ['codes in the clear', ['--email-endpoint', 'http://mail.example/', '--email-from', 'o@example.org']],
  ['a sign-up of another kind', ['--sign-up', 'everybody']],
  ['public names for everything', ['--public-name', '*']],
  ['public names that are URLs', ['--public-name', 'https://orc.example']],
])('%s are no argument', (_, args) => {
  expect(() => parse(args)).toThrow(expect.objectContaining({ code: 'commander.invalidArgument' }))
})
