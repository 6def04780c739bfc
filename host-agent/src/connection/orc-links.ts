import type { Welcome } from '@daisi/protocol'
import { FatalError } from '../exit-codes.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import type { CertificatePin } from '../certificate-pin.ts'
import type { LinkStatus } from './link-status.ts'
import { OrcLink, type OrcLinkOptions } from './orc-link.ts'

/** One Orc to serve. */
export interface OrcTarget {
  readonly url: string
  readonly pin: CertificatePin | undefined
  readonly enrolmentToken: string | undefined
}

/** An Orc to serve, and what is remembered about it. */
export interface KnownOrc extends OrcTarget {
  readonly record: OrcRecordFile
}

/** Reads what is remembered about each Orc. Throws a `FatalError` for a broken file. */
export function recallOrcs(targets: readonly OrcTarget[], stateFolder: string): Promise<KnownOrc[]> {
  const recall = async (target: OrcTarget): Promise<KnownOrc> => ({
    ...target,
    record: await OrcRecordFile.open(stateFolder, target.url),
  })
  return Promise.all(targets.map(recall))
}

/** What the links of all Orcs share. */
export interface OrcLinksOptions extends Omit<OrcLinkOptions, keyof KnownOrc | 'onOnline'> {
  /** Called at each `welcome` of each Orc. */
  readonly onOnline: (welcome: Welcome, url: string) => void
}

/**
 * The connections to all Orcs of one agent. They share the workbench and nothing else: record, keys, budgets and job ids
 * are each Orc's own.
 */
export class OrcLinks {
  readonly #options: OrcLinksOptions
  readonly #links: ReadonlyMap<string, OrcLink>

  /** The addresses of `orcs` differ from each other. */
  constructor(orcs: readonly KnownOrc[], options: OrcLinksOptions) {
    const open = (orc: KnownOrc): OrcLink => {
      const onOnline = (welcome: Welcome): void => options.onOnline(welcome, orc.url)
      return new OrcLink({ ...options, ...orc, onOnline })
    }
    this.#options = options
    this.#links = new Map(orcs.map((orc) => [orc.url, open(orc)]))
  }

  /** How each stands, in the order in which they were given. */
  get status(): readonly LinkStatus[] {
    return [...this.#links.values()].map((link) => link.status)
  }

  /**
   * Works until `stop`, or until no Orc is left that wants this Host. One that refuses it does not end the others; when all
   * do, throws the first one's `FatalError`.
   */
  async run(): Promise<void> {
    const failures: unknown[] = []
    const run = async ([url, link]: readonly [string, OrcLink]): Promise<void> => {
      try {
        await link.run()
      } catch (error) {
        failures.push(error)
        if (this.#links.size > 1) this.#logEnd(url, error)
      }
    }
    await Promise.all([...this.#links].map(run))
    const fault = failures.find((error) => !(error instanceof FatalError))
    if (fault !== undefined) throw fault
    if (failures.length === this.#links.size) throw failures[0]
  }

  /** Takes nothing new from any Orc until `resume`, and stays connected. */
  holdBack(): void {
    for (const link of this.#links.values()) link.holdBack()
  }

  /** Takes work of every Orc again. */
  async resume(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.resume()))
  }

  /** Takes nothing new from any Orc, lets running jobs end, and cancels those that still run when the deadline is aborted. */
  async drain(deadline: AbortSignal): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.drain(deadline)))
  }

  /** Closes every connection and ends `run`. */
  stop(): void {
    for (const link of this.#links.values()) link.stop()
  }

  #logEnd(url: string, error: unknown): void {
    const { logger } = this.#options
    if (error instanceof FatalError)
      logger.error({ event: 'orc-ended', orc: url, code: error.code }, error.message)
    else
      logger.error(
        { event: 'orc-ended', orc: url, code: 'internal', err: error },
        'a fault of this program ended the connection to this Orc',
      )
  }
}
