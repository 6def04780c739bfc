import type { Model } from '@daisi/protocol'
import type { Presence } from './pick.ts'

/** The models that these Hosts serve, by name, each once. */
export function listModels(hosts: Iterable<Presence>): Model[] {
  const models = new Map<string, { context: number; hosts: number }>()
  for (const host of hosts) {
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
