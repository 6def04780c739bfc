import { InvalidArgumentError, Option } from 'commander'
import { ExitCode, Failure } from '../exit-codes.ts'
import { parsePin } from '../pinned-https.ts'

/** Which Orc a command speaks to, here or on Cloudflare. */
export interface OrcAddress {
  readonly orc: string
  readonly pin?: string
}

/** The options that name an Orc. */
export function addressOptions(): readonly Option[] {
  return [
    new Option('--orc <url>', 'address of the Orc').argParser(urlArgument).makeOptionMandatory(),
    new Option('--pin <fingerprint>', 'SHA-256 fingerprint of its certificate, as it prints it').argParser(
      pinArgument,
    ),
  ]
}

/** Throws a `Failure` where the pin is of no use: without TLS there is no certificate. */
export function checkAddress(orc: string, pin: string | undefined): void {
  if (pin !== undefined && !orc.startsWith('https:'))
    throw new Failure(ExitCode.Usage, 'A pin is for an https address: without TLS there is no certificate.')
}

function pinArgument(text: string): string {
  const pin = parsePin(text)
  if (pin === undefined) throw new InvalidArgumentError('Use the 64 hex digits that the Orc prints.')
  return pin
}

function urlArgument(text: string): string {
  if (!/^https?:/.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError('Use an address such as http://127.0.0.1:8787.')
  }
  return text
}
