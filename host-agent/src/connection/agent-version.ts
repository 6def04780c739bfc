import type { Welcome } from '@daisi/protocol'
import { compareVersions, validate } from 'compare-versions'
import { ExitCode, FatalError } from '../exit-codes.ts'

/** How to get the newest version. */
const UPDATE_HINT = 'npm install --global daisi-host@latest'

/** What an Orc's word on versions (H13) means for an agent of the given one. */
export type VersionVerdict =
  | { readonly kind: 'current' }
  | { readonly kind: 'update'; readonly latest: string }
  | { readonly kind: 'too-old'; readonly minimum: string }

/** Compares by semantic versioning 2.0.0 §11. What is no version says nothing. */
export function judgeVersion(own: string, announced: Welcome['agent']): VersionVerdict {
  if (announced === undefined) return { kind: 'current' }
  const { minimum, latest } = announced
  if (validate(minimum) && compareVersions(own, minimum) < 0) return { kind: 'too-old', minimum }
  if (validate(latest) && compareVersions(own, latest) < 0) return { kind: 'update', latest }
  return { kind: 'current' }
}

/** For people: there is a newer version. */
export function updateMessage(own: string, latest: string): string {
  return `daisi-host ${latest} is out, this is ${own}; to update: ${UPDATE_HINT}`
}

export function tooOld(own: string, minimum: string, url: string): FatalError {
  const message = `${url} works with daisi-host ${minimum} and newer, and this is ${own}; update it with: ${UPDATE_HINT}`
  return new FatalError(ExitCode.Refused, 'agent_too_old', message)
}
