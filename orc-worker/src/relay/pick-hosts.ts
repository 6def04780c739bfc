import type { JobKind } from '@daisi/protocol'
import { type Choices, inSpendOrder } from '../domain/spend-order.ts'
import type { SessionRecord } from '../objects/session/types.ts'
import { directoryStub } from '../objects/stubs.ts'

/** Asks the directories of a Session's Networks for Hosts, and joins their answers in its spend order. */
export async function pickHosts(
  env: Env,
  { networks, accountId, spendOrder }: SessionRecord,
  needed: {
    readonly model: string
    readonly kind: JobKind
    readonly ownOnly: boolean
    readonly direct?: boolean
    readonly capabilities?: readonly string[]
  },
): Promise<Choices> {
  const picks = await Promise.all(
    networks.map(async ({ name, kind }) => {
      const result = await directoryStub(env, name).pick({ ...needed, accountId })
      return { network: name, kind, result }
    }),
  )
  return inSpendOrder(picks, spendOrder)
}
