import { InvalidArgumentError, Option } from 'commander'
import { ExitCode, Failure } from '../exit-codes.ts'
import { type ListenAddress, parseListenAddress } from '../orc/listen-address.ts'
import { isHost } from '../orc/own-hosts.ts'
import type { OrcOptions } from '../orc/start-orc.ts'
import type { TlsChoice } from '../tls/server-certificate.ts'

/** What `daisi-orc serve` was told. */
export interface ServeOptions {
  readonly listen: ListenAddress
  readonly state: string
  readonly name?: string
  readonly signupGrant?: string
  readonly tls?: boolean
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly private?: boolean
  readonly publicName?: readonly string[]
  readonly signUp?: string
  readonly githubClientId?: string
  readonly emailEndpoint?: string
  readonly emailFrom?: string
}

/** The options of `daisi-orc serve`. */
export function serveOptions(): readonly Option[] {
  return [
    new Option('--listen <host:port>', 'address to listen on; 0.0.0.0 for every network')
      .argParser(listenArgument)
      .default({ host: '127.0.0.1', port: 8787 }, '127.0.0.1:8787'),
    new Option('--state <folder>', 'where secrets and databases live').default('.daisi/orc'),
    new Option(
      '--public-name <name>',
      'name of a proxy or name server under which others reach it, with or without a port; may be repeated',
    )
      .env('DAISI_PUBLIC_NAME')
      .argParser(publicNameArgument),
    new Option('--tls', 'serve HTTPS with a certificate that the Orc makes for itself (env: DAISI_TLS)'),
    new Option('--tls-cert <file>', 'serve HTTPS with this certificate (PEM, its chain after it)').env(
      'DAISI_TLS_CERT',
    ),
    new Option('--tls-key <file>', 'its private key (PEM)').env('DAISI_TLS_KEY'),
    new Option(
      '--private',
      'serve inside addresses only, by invitation only; contact nothing outside (env: DAISI_PRIVATE)',
    ),
    new Option('--name <name>', 'name that the Orc shows'),
    new Option('--signup-grant <credits>', 'credits that a new account gets').argParser(creditsArgument),
    new Option('--sign-up <who>', 'who may make an account (default: invited)')
      .choices(['invited', 'open'])
      .env('DAISI_SIGN_UP'),
    new Option(
      '--github-client-id <id>',
      'sign in with GitHub; its secret in DAISI_GITHUB_CLIENT_SECRET',
    ).env('DAISI_GITHUB_CLIENT_ID'),
    new Option('--email-endpoint <url>', 'where login codes are posted; its token in DAISI_EMAIL_TOKEN')
      .env('DAISI_EMAIL_ENDPOINT')
      .argParser(endpointArgument),
    new Option('--email-from <address>', 'sender of these e-mails').env('DAISI_EMAIL_FROM'),
  ]
}

/** What an Orc is started with, secrets from the environment included. Throws a Failure for what does not go together. */
export function orcOptions(
  given: ServeOptions,
  environment: Readonly<Record<string, string | undefined>>,
): OrcOptions {
  const options = {
    ...given,
    tls: given.tls === true || isSwitchedOn(environment['DAISI_TLS']),
    private: given.private === true || isSwitchedOn(environment['DAISI_PRIVATE']),
  }
  requireSense(options, environment)
  const { listen, name, signupGrant, signUp, githubClientId, emailEndpoint, emailFrom } = options
  const tls = tlsChoice(options)
  const vars: Record<string, string | undefined> = {
    ORC_NAME: name,
    SIGNUP_GRANT: signupGrant,
    SIGN_UP: signUp,
    GITHUB_CLIENT_ID: githubClientId,
    LOGIN_EMAIL: emailEndpoint === undefined ? 'console' : 'http',
    EMAIL_ENDPOINT: emailEndpoint,
    EMAIL_FROM: emailFrom,
  }
  return {
    stateDir: options.state,
    host: listen.host,
    port: listen.port,
    ...(tls === undefined ? {} : { tls }),
    ...(options.publicName === undefined ? {} : { publicNames: options.publicName }),
    isPrivate: options.private,
    vars: whatIsGiven(vars),
    secrets: whatIsGiven({
      EMAIL_TOKEN: environment['DAISI_EMAIL_TOKEN'],
      GITHUB_CLIENT_SECRET: environment['DAISI_GITHUB_CLIENT_SECRET'],
    }),
  }
}

/** Whether a variable turns something on. What is not plainly a no does, so that nothing that protects stays off by a slip. */
function isSwitchedOn(value = ''): boolean {
  return !['', '0', 'false', 'no', 'off'].includes(value.trim().toLowerCase())
}

function requireSense(
  options: ServeOptions,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const { tlsCert, tlsKey, signUp, githubClientId, emailEndpoint, emailFrom } = options
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw usage('--tls-cert and --tls-key belong together: give both, or --tls for a certificate of its own.')
  if ((emailEndpoint === undefined) !== (emailFrom === undefined))
    throw usage('--email-endpoint and --email-from belong together: give both.')
  if (githubClientId !== undefined && !environment['DAISI_GITHUB_CLIENT_SECRET'])
    throw usage('--github-client-id needs the secret of that app: set DAISI_GITHUB_CLIENT_SECRET.')
  if (options.private !== true) return
  if (signUp === 'open')
    throw usage('A private Orc takes people in by invitation: leave out --sign-up open, or --private.')
  if (emailEndpoint !== undefined || githubClientId !== undefined)
    throw usage('A private Orc contacts nothing outside: leave out e-mail and GitHub, or --private.')
}

function tlsChoice({ tls, tlsCert, tlsKey }: ServeOptions): TlsChoice | undefined {
  if (tlsCert !== undefined && tlsKey !== undefined) return { certificateFile: tlsCert, keyFile: tlsKey }
  return tls === true ? 'self-signed' : undefined
}

function whatIsGiven(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value ? [[name, value]] : [])))
}

function usage(message: string): Failure {
  return new Failure(ExitCode.Usage, message)
}

function listenArgument(text: string): ListenAddress {
  const address = parseListenAddress(text)
  if (address === undefined) throw new InvalidArgumentError('Use host:port, for instance 127.0.0.1:8787.')
  return address
}

/** The names before it, and those in `text`, which may have commas between them. */
function publicNameArgument(text: string, before: readonly string[] = []): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (!names.every(isHost))
    throw new InvalidArgumentError(
      'Use names as they stand in URLs, for instance orc.example or 10.0.0.1:8443.',
    )
  return [...before, ...names]
}

function creditsArgument(text: string): string {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Use a whole number of credits, 0 or more.')
  return text
}

/** Codes and the token of the service must not travel in the clear. */
function endpointArgument(text: string): string {
  if (!URL.canParse(text) || new URL(text).protocol !== 'https:')
    throw new InvalidArgumentError('Use an https address.')
  return text
}
