import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DirectOffer, HostId } from '@daisi/protocol'
import { ExitCode, FatalError } from '../exit-codes.ts'
import type { RunnerContext } from '../jobs/job-runner.ts'
import type { Logger } from '../log.ts'
import { fingerprintOf, givenCertificate, ownCertificate } from './certificate.ts'
import { DirectDesk } from './direct-desk.ts'
import { DirectEndpoint } from './direct-endpoint.ts'
import {
  createDirectServer,
  DIRECT_LIMITS,
  type DirectLimits,
  type PlainReach,
  type TlsPair,
} from './direct-server.ts'
import { endpointOf, isWildcard, type ListenPlan } from './listen-plan.ts'
import { isPubliclyTrusted } from './public-trust.ts'
import { ReportBook } from './report-book.ts'

export interface DirectServiceOptions {
  readonly plan: ListenPlan
  readonly hostId: HostId
  readonly stateFolder: string
  /** Addresses of all Orcs that this Host serves. */
  readonly orcUrls: readonly string[]
  readonly logger: Logger
  readonly limits?: DirectLimits
}

/** This Host's own address: one listener for Direct Connections in Sessions of every Orc that it serves. */
export class DirectService {
  /** What each Orc is told (D1). */
  readonly offer: DirectOffer
  readonly #server: Server
  readonly #books: ReadonlyMap<string, ReportBook>
  readonly #desks: Set<DirectDesk>
  /** Jobs of Orcs that are served no more, on their way to their reports. */
  readonly #ending: Promise<void>[] = []

  private constructor(
    server: Server,
    offer: DirectOffer,
    books: ReadonlyMap<string, ReportBook>,
    desks: Set<DirectDesk>,
  ) {
    this.#server = server
    this.offer = offer
    this.#books = books
    this.#desks = desks
  }

  /** Listens. Throws a `FatalError` that says what is wrong with address, certificate or state. */
  static async open(options: DirectServiceOptions): Promise<DirectService> {
    const { plan, hostId, logger, orcUrls, stateFolder } = options
    const openBook = async (url: string): Promise<[string, ReportBook]> => [
      url,
      await ReportBook.open(stateFolder, url, logger),
    ]
    const books = new Map(await Promise.all(orcUrls.map(openBook)))
    const protection = await prepareProtection(options)
    const desks = new Set<DirectDesk>()
    const limits = options.limits ?? DIRECT_LIMITS
    const endpoint = new DirectEndpoint({ hostId, logger, limits, desks: () => desks })
    const server = createDirectServer(protection, endpoint, limits)
    const { port } = await listen(server, plan)
    const offer = await describe(plan, protection, port)
    const hint = isWildcard(plan.listen.host) && plan.url === undefined
    logger.info(
      { event: 'direct', ...offer },
      hint
        ? 'open for Direct Connections; if others reach this machine at another address, give it with --direct-url'
        : 'open for Direct Connections',
    )
    return new DirectService(server, offer, books, desks)
  }

  /** The desk for Sessions of the Orc at `url`, one of `orcUrls`. */
  desk(url: string, context: () => RunnerContext): DirectDesk {
    const book = this.#books.get(url)
    if (book === undefined) throw new Error(`no book is open for ${url}`)
    const leave = (desk: DirectDesk): void => {
      this.#desks.delete(desk)
      this.#ending.push(desk.drain(AbortSignal.abort()))
    }
    const desk = new DirectDesk({ context, book, endpoint: this.offer.endpoint, leave })
    this.#desks.add(desk)
    return desk
  }

  /** Stops listening, ends what is still open, and leaves everything on disk. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
    await Promise.all(this.#ending)
    for (const book of this.#books.values()) await book.settled()
  }
}

async function prepareProtection({ plan, stateFolder }: DirectServiceOptions): Promise<TlsPair | PlainReach> {
  const { protection, listen, url } = plan
  const now = new Date()
  if (protection === 'loopback' || protection === 'private') return protection
  if (protection !== 'self-signed') return givenCertificate(protection, now)
  const names = [
    ...(isWildcard(listen.host) ? [] : [listen.host]),
    ...(url === undefined ? [] : [hostOf(url)]),
  ]
  return ownCertificate(stateFolder, names, now)
}

async function listen(server: Server, { listen: { host, port } }: ListenPlan): Promise<AddressInfo> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return server.address() as AddressInfo
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    const message = `${host} port ${port} cannot be listened on (${reason}); give another address with --direct`
    throw new FatalError(ExitCode.Usage, 'direct_listen_failed', message, cause)
  }
}

/** The certificate's fingerprint is announced where no public authority vouches for it. */
async function describe(
  plan: ListenPlan,
  protection: TlsPair | PlainReach,
  port: number,
): Promise<DirectOffer> {
  const endpoint = endpointOf(plan, port)
  if (typeof protection === 'string') return { endpoint }
  const { host } = plan.listen
  const listener = { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port }
  if (plan.protection !== 'self-signed' && (await isPubliclyTrusted(listener, hostOf(endpoint))))
    return { endpoint }
  return { endpoint, certificateSha256: fingerprintOf(protection.certificate) }
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')
}
