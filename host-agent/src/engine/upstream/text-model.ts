import type { Capability } from '@daisi/protocol'
import { offeredName } from './model-name.ts'

/** What a text model does. */
export type TextKind = 'chat' | 'embedding'

/** What is known of one model of a server. */
export interface TextModel {
  /** How its server calls it. */
  readonly serverName: string
  /** How it is offered. */
  readonly id: string
  readonly kind: TextKind
  /** What it can beyond what its server can with every model. */
  readonly abilities: readonly Capability[]
  /** True if it goes on after a text without a template, too. */
  readonly completes: boolean
  /** Tokens that prompt and answer together may have. */
  readonly contextLength: number
  /** Jobs that it runs at once; more would wait in the server, where nobody sees them. */
  readonly slots: number
  readonly sizeBytes: number | undefined
}

/**
 * Context that is assumed where neither server nor owner says more, in tokens. Too little turns work away; too much would let
 * servers cut prompts silently.
 */
export const UNKNOWN_CONTEXT = 4_096

/** Contexts beyond this cannot be offered, in tokens. */
const LARGEST_CONTEXT = 100_000_000

/** Models of one server that are offered at most. */
export const MOST_MODELS = 64

/** A model, or nothing if its name cannot be offered. `facts` that are absent are assumed. */
export function textModel(
  serverName: string,
  facts: {
    readonly kind?: TextKind | undefined
    readonly abilities?: readonly Capability[] | undefined
    readonly completes?: boolean | undefined
    readonly contextLength?: number | undefined
    readonly slots?: number | undefined
    readonly sizeBytes?: number | undefined
  },
): readonly TextModel[] {
  const id = offeredName(serverName)
  if (id === undefined) return []
  const { kind = 'chat', abilities = [], completes = false, slots = 1, sizeBytes } = facts
  const contextLength = Math.min(facts.contextLength ?? UNKNOWN_CONTEXT, LARGEST_CONTEXT)
  return [{ serverName, id, kind, abilities, completes, contextLength, slots, sizeBytes }]
}
