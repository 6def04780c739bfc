import type { EnrolResponse } from '@daisi/protocol'
import type { LoginCode } from '../connection/device-login.ts'
import type { OrcTarget } from '../connection/orc-links.ts'
import type { FatalError } from '../exit-codes.ts'
import { printable } from '../printable.ts'

/** What a login tells whoever started it. */
export interface LoginScreen {
  code(code: LoginCode, hostId: string): void
  problem(problem: string, waitMs: number): void
  enrolled(answer: EnrolResponse, target: OrcTarget): void
  failed(error: FatalError): void
}

/** For people. What comes from the Orc is shown as text and cannot steer the terminal. */
export function humanScreen(write: (text: string) => void, writeError: (text: string) => void): LoginScreen {
  const line = (text = ''): void => write(`${printable(text)}\n`)
  return {
    code({ userCode, verificationUri, verificationUriComplete, expiresInSeconds }, hostId) {
      line()
      line('  To let this machine join, open')
      line()
      line(`      ${verificationUri}`)
      line()
      line('  and enter the code')
      line()
      line(`      ${userCode}`)
      line()
      if (verificationUriComplete !== undefined)
        line(`  or open ${verificationUriComplete} and compare the code.`)
      line(`  The page shows this Host's id: ${hostId}`)
      line(
        `  The code works for ${Math.max(1, Math.floor(expiresInSeconds / 60))} minutes. Waiting; Ctrl-C ends it.`,
      )
      line()
    },
    problem: (problem, waitMs) => line(`  ${problem}; asking again in ${waitMs / 1000} s`),
    enrolled({ alias, networks }, target) {
      line(
        `  Enrolled at ${target.url} as ${alias}${networks.length === 0 ? '' : `, in ${networks.join(', ')}`}.`,
      )
      line('  Lend this machine with: daisi-host')
    },
    failed: ({ message, code }) => writeError(`daisi-host: ${printable(message)} (${code})\n`),
  }
}

/** For scripts: one JSON object a line, each with `event`. */
export function jsonScreen(write: (text: string) => void): LoginScreen {
  const event = (name: string, facts: object): void => write(`${JSON.stringify({ event: name, ...facts })}\n`)
  return {
    code: (code, hostId) => event('code', { ...code, hostId }),
    problem: (problem, waitMs) => event('problem', { problem, waitSeconds: waitMs / 1000 }),
    enrolled: ({ hostId, alias, networks }, { url }) =>
      event('enrolled', { orc: url, hostId, alias, networks }),
    failed: ({ code, message }) => event('failed', { code, message }),
  }
}
