import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { networkName } from '@daisi/protocol'
import * as z from 'zod'
import { readJsonFile, readJsonFolder, writeJsonFile } from './json-file.ts'

/** A JSON Web Key Set (RFC 7517) as far as this agent looks into it. */
export const jsonWebKeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(64) })
export type StoredKeySet = z.infer<typeof jsonWebKeySet>

/** What is remembered about one Orc. */
export const orcRecord = z.object({
  url: z.string(),
  /** Set at the first meeting; an Orc that later names another one is refused. */
  issuer: z.string().optional(),
  alias: z.string().optional(),
  networks: z.array(networkName),
  enrolled: z.boolean(),
  /** Sequence of the last command that was carried out (Q3); -1 for none. */
  lastCommand: z.int().min(-1),
  /** True after a `pause` command: outlives a restart, until `resume`. */
  paused: z.boolean(),
  /** The Orc's keys, so that tokens verify while it cannot be asked (T7). */
  jwks: jsonWebKeySet.optional(),
})
export type OrcRecord = z.infer<typeof orcRecord>

/** What is remembered about every Orc that was ever met, also those that are not served now. Throws a `FatalError` for a broken file. */
export function knownOrcs(stateFolder: string): Promise<OrcRecord[]> {
  return readJsonFolder(join(stateFolder, 'orcs'), orcRecord)
}

/** The file of one Orc. `update` changes memory and disk together, one change after the other. */
export class OrcRecordFile {
  readonly #path: string
  #record: OrcRecord
  #writing: Promise<void> = Promise.resolve()

  private constructor(path: string, record: OrcRecord) {
    this.#path = path
    this.#record = record
  }

  static async open(stateFolder: string, url: string): Promise<OrcRecordFile> {
    const path = join(stateFolder, 'orcs', `${orcFileName(url)}.json`)
    const empty = { url, networks: [], enrolled: false, lastCommand: -1, paused: false }
    return new OrcRecordFile(path, (await readJsonFile(path, orcRecord)) ?? empty)
  }

  get value(): OrcRecord {
    return this.#record
  }

  update(change: Partial<OrcRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change }
    const written = this.#writing.then(() => writeJsonFile(this.#path, this.#record))
    this.#writing = written.catch(() => {})
    return written
  }

  /** Resolves when everything is on disk. */
  settled(): Promise<void> {
    return this.#writing
  }
}

/** Readable and unique: the host and a hash of the whole address. */
export function orcFileName(url: string): string {
  const host = new URL(url).host.replaceAll(/[^a-z0-9.-]/gi, '_')
  return `${host}-${createHash('sha256').update(url).digest('hex').slice(0, 8)}`
}
