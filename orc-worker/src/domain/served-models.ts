import type { Model, ModelOffer } from '@daisi/protocol'

/** A Host and what it serves. */
export interface ServingHost {
  readonly hostId: string
  readonly models: readonly Pick<ModelOffer, 'id' | 'contextLength'>[]
}

/** The models that these Hosts serve, by name, each once. A Host of several Networks may come several times and counts once. */
export function servedModels(hosts: readonly ServingHost[]): Model[] {
  const models = new Map<string, { context: number; hosts: number }>()
  for (const host of new Map(hosts.map((each) => [each.hostId, each])).values()) {
    for (const offer of host.models) {
      const known = models.get(offer.id) ?? { context: 0, hosts: 0 }
      models.set(offer.id, { context: Math.max(known.context, offer.contextLength), hosts: known.hosts + 1 })
    }
  }
  return [...models]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { context, hosts: online }]) => ({
      id,
      object: 'model',
      created: 0,
      owned_by: 'daisi',
      context_length: context,
      hosts_online: online,
    }))
}
