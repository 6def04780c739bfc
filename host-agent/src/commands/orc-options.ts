import { InvalidArgumentError, Option } from 'commander'
import { type CertificatePin, parseCertificatePin } from '../certificate-pin.ts'
import { checkOrcAddress, parseOrcUrl } from '../connection/orc-address.ts'
import type { OrcTarget } from '../connection/orc-links.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'

/** What the command line says about Orcs. */
export interface OrcFlags {
  readonly orc?: readonly string[]
  readonly enroll?: readonly string[]
  readonly pin?: readonly (CertificatePin | undefined)[]
  readonly insecure?: true
}

/** An option that may be given several times, or once with commas between the values. */
export function list<Value>(
  parse: (text: string) => Value,
): (text: string, previous: readonly Value[] | undefined) => readonly Value[] {
  return (text, previous = []) => [...previous, ...text.split(',').map((part) => parse(part.trim()))]
}

export const orcOption = new Option('--orc <url>', 'address of the Orc; again for each further one')
  .env('DAISI_ORC')
  .argParser(list(parseUrl))

export const enrollOption = new Option(
  '--enroll <token>',
  'enrolment token, needed the first time; one for each --orc, in their order',
)
  .env('DAISI_ENROLL_TOKEN')
  .argParser(list((token) => token))

export const pinOption = new Option(
  '--pin <fingerprint>',
  "SHA-256 of the Orc's certificate, instead of trust in authorities; one for each --orc, in their order",
)
  .env('DAISI_PIN')
  .argParser(list(parsePin))

export const insecureOption = new Option(
  '--insecure',
  'allow http:// to an Orc outside the local network',
).env('DAISI_INSECURE')

/**
 * The Orcs that the command line names. Throws a `FatalError` for lists that do not fit together, so that no token or pin
 * meets the wrong Orc, and for addresses over which tokens would travel readable by anybody.
 */
export function orcTargets({ orc: urls = [], enroll, pin, insecure }: OrcFlags): OrcTarget[] {
  const tokens = matchToOrcs(
    '--enroll',
    enroll?.map((token) => (token === '' ? undefined : token)),
    urls,
  )
  const pins = matchToOrcs('--pin', pin, urls)
  return urls.map((url, index) => {
    if (urls.indexOf(url) !== index)
      throw usageError('duplicate_orc', `--orc ${url} is given twice; remove one`)
    checkOrcAddress(url, pins[index], insecure === true)
    return { url, pin: pins[index], enrolmentToken: tokens[index] }
  })
}

function matchToOrcs<Value>(
  option: string,
  values: readonly (Value | undefined)[] | undefined,
  urls: readonly string[],
): readonly (Value | undefined)[] {
  if (values === undefined || values.every((value) => value === undefined)) return []
  if (values.length === urls.length) return values
  const message = `${option} is given ${values.length} times for ${urls.length} Orcs; give it once for each --orc in the same order, and an empty text where there is none`
  throw usageError('options_mismatch', message)
}

function usageError(code: string, message: string): FatalError {
  return new FatalError(ExitCode.Usage, code, message)
}

/** As `parseOrcUrl`, for the arguments of options. */
export function parseUrl(text: string): string {
  const url = parseOrcUrl(text)
  if (url === undefined) throw new InvalidArgumentError('give an address like https://orc.example')
  return url
}

function parsePin(text: string): CertificatePin | undefined {
  if (text === '') return undefined
  const pin = parseCertificatePin(text)
  if (pin === undefined)
    throw new InvalidArgumentError(
      'give the SHA-256 of a certificate: sha256: and 64 hex digits, colons between or not',
    )
  return pin
}
