import { hostname } from 'node:os'

/** Names longer than this are cut. */
const LONGEST_NAME = 64

/** What a Host is called in its owner's list, where its owner gives no name. */
export function machineName(): string {
  return hostname().slice(0, LONGEST_NAME)
}
