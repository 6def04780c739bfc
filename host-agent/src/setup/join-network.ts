import type { Discovery } from '@daisi/protocol'
import { checkOrcAddress } from '../connection/orc-address.ts'
import { printable } from '../printable.ts'
import { readAgentConfig } from '../state/agent-config.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { rememberOrc } from './change-config.ts'
import { enrolByLogin } from './enrol-by-login.ts'
import { enrolByToken } from './enrol-by-token.ts'
import { machineName } from './machine-name.ts'
import { meetOrc } from './meet-orc.ts'
import type { OrcAnswer } from './setup-asker.ts'
import type { SetupContext } from './setup-context.ts'
import { certificateRefused } from './setup-failures.ts'
import { untilDone } from './until-done.ts'

interface Joined {
  readonly alias?: string | undefined
  readonly networks: readonly string[]
}

interface FoundOrc {
  readonly orc: OrcAnswer
  readonly discovery: Discovery
}

/** The first question: finds the Orc, and enrols this Host there unless it is enrolled. Throws a `FatalError`. */
export async function joinNetwork(context: SetupContext): Promise<OrcAnswer> {
  const { stateFolder, asker, signal } = context
  const found = await untilDone(
    () => findOrc(context),
    (error) => asker.refused(error),
    signal,
  )
  const { orc } = found
  // Before the login: whoever stops there finds the address again.
  await rememberOrc(stateFolder, orc)
  const { value: record } = await OrcRecordFile.open(stateFolder, orc.url)
  const joined: Joined = record.enrolled
    ? record
    : await untilDone(
        () => enrol(context, found),
        (error) => asker.again(error),
        signal,
      )
  const networks = joined.networks.length === 0 ? '' : `, in ${joined.networks.join(', ')}`
  asker.say(`Enrolled at ${orc.url} as ${printable(joined.alias ?? 'a Host')}${networks}.`)
  return orc
}

async function findOrc({ stateFolder, insecure, asker, signal }: SetupContext): Promise<FoundOrc> {
  const { orcs } = await readAgentConfig(stateFolder)
  const answer = await asker.orc(orcs.map(({ url }) => url))
  const known = orcs.find(({ url }) => url === answer.url)
  const pin = answer.pin ?? known?.pin
  const orc = { url: answer.url, pin }
  checkOrcAddress(orc.url, pin, insecure || known?.insecure === true)
  const first = await asker.waiting(`Asking ${orc.url}`, meetOrc(orc, signal))
  if (first.kind === 'met') return { orc, discovery: first.discovery }
  const { shown } = first
  if (!(await asker.trust(orc.url, shown))) throw certificateRefused(orc.url, shown)
  const trusted = { url: orc.url, pin: shown }
  const second = await asker.waiting(`Asking ${orc.url}`, meetOrc(trusted, signal))
  if (second.kind === 'unvouched') throw certificateRefused(orc.url, second.shown)
  return { orc: trusted, discovery: second.discovery }
}

async function enrol(context: SetupContext, { orc, discovery }: FoundOrc): Promise<Joined> {
  const { stateFolder, name = machineName(), asker, clock, signal } = context
  const token = asker.enrolmentToken()
  if (token !== undefined) {
    const enrolment = enrolByToken({ stateFolder, orc, token, name, clock }, signal)
    return asker.waiting('Enrolling this machine', enrolment)
  }
  const network = await asker.network(discovery.networks)
  return enrolByLogin({ stateFolder, orc, name, network, clock }, asker.loginScreen, signal)
}
