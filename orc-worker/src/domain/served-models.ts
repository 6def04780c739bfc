import { type Model, type ModelKind, type ModelOffer, capability } from '@daisi/protocol'
import type { ReadyState } from './pick.ts'

/** A model that a Host serves, as far as it is shown. */
export interface ServedModel extends Pick<
  ModelOffer,
  'id' | 'aliases' | 'contextLength' | 'kinds' | 'capabilities'
> {
  readonly state: ReadyState
}

/** A Host and what it serves. */
export interface ServingHost {
  readonly hostId: string
  readonly models: readonly ServedModel[]
}

/** Abilities have no other names than these: a Host's own words are not shown to strangers. */
const KNOWN: ReadonlySet<string> = new Set(Object.values(capability))
/** Other names that are listed of one model. */
const MAX_ALIASES = 16

/** The models that these Hosts serve, by name, each once. A Host of several Networks may come several times and counts once. */
export function servedModels(hosts: readonly ServingHost[]): Model[] {
  const models = new Map<string, ServedModel[]>()
  for (const host of new Map(hosts.map((each) => [each.hostId, each])).values()) {
    for (const served of host.models) models.set(served.id, [...(models.get(served.id) ?? []), served])
  }
  return [...models].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([id, served]) => modelOf(id, served))
}

/** The model of this name. An id counts before another model's alias. */
export function modelNamed(models: readonly Model[], name: string): Model | undefined {
  return models.find(({ id }) => id === name) ?? models.find(({ aliases }) => aliases.includes(name))
}

function modelOf(id: string, served: readonly ServedModel[]): Model {
  const named = served.flatMap((each) => [...new Set(each.capabilities)]).filter((name) => KNOWN.has(name))
  const counts = new Map<string, number>()
  for (const name of named.toSorted((a, b) => (a < b ? -1 : 1))) counts.set(name, (counts.get(name) ?? 0) + 1)
  return {
    id,
    object: 'model',
    created: 0,
    owned_by: 'daisi',
    aliases: sortedSet(served.flatMap(({ aliases = [] }) => aliases)).slice(0, MAX_ALIASES),
    context_length: served.reduce((longest, { contextLength }) => Math.max(longest, contextLength), 0),
    kinds: sortedSet(served.flatMap(({ kinds }) => kinds)).filter(
      (kind): kind is ModelKind => kind !== 'tool',
    ),
    capabilities: Object.fromEntries(counts),
    hosts_online: served.length,
    hosts_loaded: served.filter(({ state }) => state === 'loaded').length,
  }
}

function sortedSet<Value extends string>(values: readonly Value[]): Value[] {
  return [...new Set(values)].toSorted((a, b) => (a < b ? -1 : 1))
}
