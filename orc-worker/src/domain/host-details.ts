import type { CommandView, HostDetails, IdleReason, ModelOffer, ModelState } from '@daisi/protocol'

/** What is known of a Host beside what its account says. Null: it has not said it. */
export interface DescribedHost {
  readonly online: boolean
  readonly words: {
    readonly version: string | null
    readonly willingness: { readonly accepting: boolean; readonly reason: IdleReason | null } | null
    readonly models: readonly ModelOffer[] | null
    readonly states: readonly ModelState[] | null
    /** `json` is an object. */
    readonly settings: { readonly remote: boolean; readonly json: string } | null
  }
  readonly commands: readonly CommandView[]
}

/** A Host as its owner sees it. */
export function hostDetailsOf(
  host: Pick<HostDetails, 'id' | 'name' | 'alias' | 'networks'>,
  { online, words, commands }: DescribedHost,
): HostDetails {
  const { version, willingness, models, states, settings } = words
  return {
    ...host,
    online,
    version,
    accepting: willingness?.accepting ?? false,
    reason: willingness?.reason ?? null,
    models: (models ?? []).map(({ id, aliases = [], kinds, contextLength }) => {
      const { state = 'loaded', percent = null } = states?.find((each) => each.id === id) ?? {}
      return { id, aliases, kinds, context_length: contextLength, state, percent }
    }),
    remote: settings?.remote ?? false,
    settings: settings === null ? null : (JSON.parse(settings.json) as Record<string, unknown>),
    commands: [...commands],
  }
}
