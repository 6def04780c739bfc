import { lookup } from 'node:dns/promises'
import { connect, isIP } from 'node:net'
import {
  type Discovery,
  discovery,
  DISCOVERY_PATH,
  MINIMUM_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
} from '@daisi/protocol'
import { parseCertificatePin } from '../certificate-pin.ts'
import { describeFailure } from '../connection/orc-failures.ts'
import { OrcTransport } from '../connection/orc-transport.ts'
import type { OrcRecord } from '../state/orc-record.ts'
import { type Check, fail, failed, ok, warn } from './check.ts'
import { checkClock } from './clock-check.ts'

/** An Orc to look at. */
export interface OrcToCheck {
  readonly url: string
  readonly pin: string | undefined
  readonly record: OrcRecord | undefined
}

/** The way to one Orc, step by step; a step that fails ends it, as those after it would fail for the same reason. */
export async function checkOrc(
  { url, pin, record }: OrcToCheck,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const checks: Check[] = [checkEnrolment(url, record)]
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const way = [
    () => checkName(url, host),
    () => checkPort(url, host, port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port), signal),
  ]
  for (const step of way) {
    const check = await step()
    checks.push(check)
    if (check.state === 'fail') return checks
  }
  const transport = new OrcTransport(url, pin === undefined ? undefined : parseCertificatePin(pin))
  try {
    return [...checks, ...(await checkAnswer(transport, signal))]
  } finally {
    await transport.close()
  }
}

function checkEnrolment(url: string, record: OrcRecord | undefined): Check {
  if (record?.enrolled === true)
    return ok(`${url} enrolment`, `known there as ${record.alias ?? 'a Host without alias'}`)
  return warn(`${url} enrolment`, 'this Host is not enrolled there yet', `daisi-host login --orc ${url}`)
}

async function checkName(url: string, host: string): Promise<Check> {
  const name = `${url} name`
  if (isIP(host) !== 0) return ok(name, `${host} is an address`)
  try {
    const found = await lookup(host, { all: true })
    return ok(name, found.map(({ address }) => address).join(', '))
  } catch {
    return fail(name, `${host} has no address`, "check its spelling, the network, and this machine's DNS")
  }
}

function checkPort(url: string, host: string, port: number, signal: AbortSignal): Promise<Check> {
  const name = `${url} port`
  const begun = performance.now()
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal })
    socket.on('connect', () => {
      socket.destroy()
      resolve(ok(name, `port ${port} answers in ${Math.round(performance.now() - begun)} ms`))
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code ?? error.message
      const fix =
        reason === 'ECONNREFUSED'
          ? 'nothing listens there: check the port, and that the Orc runs'
          : 'check the network, and firewalls on the way'
      resolve(fail(name, `port ${port} of ${host} does not answer (${reason})`, fix))
    })
  })
}

/** TLS, discovery, version and clock: all of one answer. */
async function checkAnswer(transport: OrcTransport, signal: AbortSignal): Promise<readonly Check[]> {
  const { url } = transport
  const before = Date.now()
  let response
  try {
    await transport.checkPin(signal)
    response = await transport.fetch(url + DISCOVERY_PATH, { signal, redirect: 'error' })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'pin_mismatch')
      return [failed(`${url} certificate`, error)]
    const fix = 'check the address, the certificate and the clock of this machine; then try again'
    return [fail(`${url} answer`, describeFailure(error), fix)]
  }
  const after = Date.now()
  const answer = discovery.safeParse(await response.json().catch(() => undefined))
  const safe = url.startsWith('https:') ? [ok(`${url} certificate`, 'is the one to expect')] : []
  const clock = checkClock(url, response.headers.get('date'), before, after)
  if (answer.success)
    return [
      ...safe,
      ok(`${url} answer`, `it is ${answer.data.issuer}`),
      checkVersion(url, answer.data),
      clock,
    ]
  const detail = `what answers there is no Orc (HTTP ${response.status})`
  return [...safe, fail(`${url} answer`, detail, 'check the address, and its path if it has one')]
}

function checkVersion(url: string, { host_protocol: theirs }: Discovery): Check {
  const name = `${url} version`
  const detail = `it speaks ${theirs.minimum} to ${theirs.version} of the protocol, this Host ${MINIMUM_PROTOCOL_VERSION} to ${PROTOCOL_VERSION}`
  if (theirs.minimum > PROTOCOL_VERSION) return fail(name, detail, 'update daisi-host')
  if (theirs.version < MINIMUM_PROTOCOL_VERSION)
    return fail(name, detail, "ask the Orc's operator to update it, or install an older daisi-host")
  return ok(name, detail)
}
