import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writePrivateFile } from '../atomic-file.ts'
import { messageOf, OrcError, systemCode } from '../errors.ts'
import { ExitCode, Failure } from '../exit-codes.ts'
import { acquireLock } from '../lock-file.ts'

/** An account of the demo and the token that manages it. */
export interface DemoAccount {
  readonly id: string
  readonly token: string
}

/** What the first run makes, step by step; each is there once its step is through. */
export interface Credentials {
  readonly operator?: DemoAccount
  readonly consumer?: DemoAccount
  readonly hostOwner?: DemoAccount
  readonly appId?: string
  readonly secretKey?: string
  /** For the demo's own Host, until it is enrolled. */
  readonly enrolment?: { readonly token: string; readonly expiresAt: number }
  readonly hostEnrolled?: boolean
  /** Where the demo's Host knows the Orc. */
  readonly orcUrl?: string
}

/** `demo.json`: credentials that survive any end of the process. */
export class DemoState {
  readonly #path: string
  #credentials: Credentials

  constructor(path: string, credentials: Credentials) {
    this.#path = path
    this.#credentials = credentials
  }

  get credentials(): Credentials {
    return this.#credentials
  }

  /** Remembers what a step made. It is on disk when this resolves. */
  async add(step: Credentials): Promise<void> {
    this.#credentials = { ...this.#credentials, ...step }
    await writePrivateFile(this.#path, `${JSON.stringify(this.#credentials, undefined, 2)}\n`)
  }
}

/** The places inside the demo's folder. */
export interface DemoFolder {
  readonly dir: string
  readonly orcDir: string
  readonly hostDir: string
}

/**
 * Reads `demo.json`. A file without an operator is written before the Orc starts for the first time: if it is found
 * again, that run was cut off before it could keep anything, perhaps after the Orc had been set up. Such an Orc is of
 * no use to anyone, so it is begun anew. An Orc that the demo did not begin is never touched.
 */
export async function openDemoState(folder: DemoFolder): Promise<DemoState> {
  const path = join(folder.dir, 'demo.json')
  const found = await readCredentials(path)
  const state = new DemoState(path, found ?? {})
  if (found?.operator !== undefined) return state
  if (found !== undefined) await discard(folder)
  if (!existsSync(folder.orcDir)) await state.add({})
  return state
}

/**
 * Has the demo's Host know its Orc at this address alone. It refuses an Orc that goes by the name of one that it knows elsewhere,
 * and here it is the same Orc on another port.
 */
export async function settleAddress(folder: DemoFolder, state: DemoState, orcUrl: string): Promise<void> {
  if (state.credentials.orcUrl === orcUrl) return
  await rm(join(folder.hostDir, 'orcs'), { recursive: true, force: true })
  await state.add({ orcUrl })
}

async function discard(folder: DemoFolder): Promise<void> {
  if (existsSync(folder.orcDir)) {
    const lock = acquireLock(join(folder.orcDir, 'orc.lock'))
    if (!lock.ok) {
      throw new OrcError(
        'state_locked',
        `An Orc (process ${lock.holderPid}) uses ${folder.orcDir}. Stop it first.`,
      )
    }
    await rm(folder.orcDir, { recursive: true, force: true })
    lock.release()
  }
  await rm(folder.hostDir, { recursive: true, force: true })
}

async function readCredentials(path: string): Promise<Credentials | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw new Failure(ExitCode.State, `${path} cannot be read (${messageOf(error)}).`, { cause: error })
  }
  try {
    const credentials: unknown = JSON.parse(text)
    if (typeof credentials !== 'object' || credentials === null) throw new Error('not an object')
    return credentials
  } catch (cause) {
    throw new Failure(
      ExitCode.State,
      `${path} is damaged. Delete the folder to begin anew, or restore the file.`,
      { cause },
    )
  }
}
