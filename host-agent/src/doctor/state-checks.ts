import { access, constants, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type AgentConfig, readAgentConfig } from '../state/agent-config.ts'
import { loadIdentity, refuseAccess } from '../state/identity.ts'
import { knownOrcs, type OrcRecord } from '../state/orc-record.ts'
import { type Check, fail, failed, ok, warn } from './check.ts'

/** Bits of a file mode. */
const WRITABLE_BY_OTHERS = 0o022

/** What the state folder says. What cannot be read is undefined, and there is a check that says so. */
export interface FoundState {
  readonly checks: readonly Check[]
  readonly config: AgentConfig | undefined
  readonly records: readonly OrcRecord[] | undefined
}

/** Looks at the state folder and changes nothing in it. */
export async function checkState(stateFolder: string): Promise<FoundState> {
  const folder = await checkFolder(stateFolder)
  const [identity, config, records] = await Promise.all([
    checkIdentity(stateFolder),
    attempt('settings', () => readAgentConfig(stateFolder)),
    attempt('known orcs', () => knownOrcs(stateFolder)),
  ])
  const problems = [config, records].flatMap((found) => ('check' in found ? [found.check] : []))
  if ('value' in config) problems.push(ok('settings', 'can be read'))
  return {
    checks: [folder, identity, ...problems],
    config: 'value' in config ? config.value : undefined,
    records: 'value' in records ? records.value : undefined,
  }
}

async function checkFolder(folder: string): Promise<Check> {
  const name = 'state folder'
  const found = await stat(folder).catch(() => undefined)
  if (found === undefined)
    return warn(name, `${folder} is not there yet`, 'it is made at the first start: daisi-host')
  if (!found.isDirectory()) return fail(name, `${folder} is no folder`, 'move it away')
  try {
    await refuseAccess(folder, WRITABLE_BY_OTHERS, 'can be written to by others', 'chmod go-w')
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EACCES') return failed(name, error)
    return fail(name, `${folder} is not this user's to write to`, `give it back, for instance with chown`)
  }
  return ok(name, folder)
}

async function checkIdentity(folder: string): Promise<Check> {
  const name = 'identity'
  // Reading makes one where there is none.
  const found = await stat(join(folder, 'identity.json')).catch(() => undefined)
  if (found === undefined)
    return warn(name, 'this Host has no key yet', 'it is made at the first start: daisi-host')
  const identity = await attempt(name, () => loadIdentity(folder))
  return 'check' in identity ? identity.check : ok(name, `Host ${identity.value.hostId}`)
}

type Attempt<Value> = { readonly value: Value } | { readonly check: Check }

async function attempt<Value>(name: string, read: () => Promise<Value>): Promise<Attempt<Value>> {
  try {
    return { value: await read() }
  } catch (error) {
    return { check: failed(name, error) }
  }
}
