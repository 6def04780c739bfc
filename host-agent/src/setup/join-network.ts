import { hostname } from 'node:os'
import type { Discovery, EnrolResponse } from '@daisi/protocol'
import { enrolByLogin } from '../commands/login.ts'
import { orcTargets } from '../commands/orc-options.ts'
import { printable } from '../printable.ts'
import { readAgentConfig } from '../state/agent-config.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { rememberOrc } from './change-config.ts'
import { enrolByToken } from './enrol-by-token.ts'
import { meetOrc } from './meet-orc.ts'
import type { OrcAnswer } from './setup-asker.ts'
import type { SetupContext } from './setup-context.ts'
import { certificateRefused } from './setup-failures.ts'
import { untilDone } from './until-done.ts'

/** Names longer than this are cut. */
const LONGEST_NAME = 64

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
  orcTargets({
    orc: [orc.url],
    pin: [pin],
    ...((insecure || known?.insecure === true) && { insecure: true }),
  })
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
  const { stateFolder, name = hostname().slice(0, LONGEST_NAME), asker, clock, signal } = context
  const token = asker.enrolmentToken()
  if (token !== undefined) {
    const enrolment = enrolByToken({ stateFolder, orc, token, name, clock }, signal)
    return asker.waiting('Enrolling this machine', enrolment)
  }
  const network = await asker.network(discovery.networks)
  const login = {
    orc: [orc.url],
    pin: [orc.pin],
    // The address was judged when it was given.
    insecure: true,
    stateFolder,
    name,
    ...(network !== undefined && { network }),
  } as const
  let joined: EnrolResponse | undefined
  const screen = {
    code: asker.loginScreen.code,
    problem: asker.loginScreen.problem,
    enrolled: (answer: EnrolResponse) => {
      joined = answer
    },
    failed: () => {},
  }
  await enrolByLogin(login, screen, signal, clock)
  return joined ?? (await OrcRecordFile.open(stateFolder, orc.url)).value
}
