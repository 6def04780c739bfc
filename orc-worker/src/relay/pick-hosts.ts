import type { JobKind } from '@daisi/protocol'
import type { PickResult, Requirements } from '../domain/pick.ts'
import { type Choices, inSpendOrder } from '../domain/spend-order.ts'
import type { SessionRecord } from '../objects/session/types.ts'
import { directoryStub } from '../objects/stubs.ts'
import type { JobRequest } from './attempts.ts'

/** What a Host must be for a Job, whoever asks for it. */
export interface NeededHost {
  readonly model: string
  readonly kind: JobKind
  readonly ownOnly: boolean
  readonly direct?: boolean
  readonly capabilities?: readonly string[]
  readonly host?: string | undefined
  readonly excludeHosts?: readonly string[]
}

/** What this Job needs of its Host. */
export function neededHost(job: HostlessJob, ownOnly: boolean): NeededHost {
  const { model, kind, needs = [], options } = job
  const { host, excludeHosts = [] } = options ?? {}
  const capabilities = needs.map(({ capability }) => capability)
  return { model, kind, capabilities, ownOnly, host, excludeHosts }
}

type HostlessJob = Pick<JobRequest, 'model' | 'kind' | 'needs' | 'options'>
type Directory = ReturnType<typeof directoryStub>

/** Asks the directories of a Session's Networks for Hosts, and joins their answers in its spend order. */
export function pickHosts(env: Env, record: SessionRecord, needed: NeededHost): Promise<Choices> {
  return askAll(env, record, needed, (directory, requirements) => directory.pick(requirements))
}

/** The same for who only wants to know: up to `most` Hosts, none of which is given anything. */
export function listHosts(
  env: Env,
  record: SessionRecord,
  needed: NeededHost,
  most: number,
): Promise<Choices> {
  return askAll(env, record, needed, (directory, requirements) => directory.list(requirements, most), most)
}

async function askAll(
  env: Env,
  { networks, accountId, spendOrder }: SessionRecord,
  needed: NeededHost,
  ask: (directory: Directory, requirements: Requirements) => Promise<PickResult>,
  most?: number,
): Promise<Choices> {
  const picks = await Promise.all(
    networks.map(async ({ name, kind }) => {
      const result = await ask(directoryStub(env, name), { ...needed, accountId })
      return { network: name, kind, result }
    }),
  )
  return inSpendOrder(picks, spendOrder, most)
}
