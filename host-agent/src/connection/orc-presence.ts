import type { Command, Down, Hello, IdleReason, Status, Welcome } from '@daisi/protocol'
import type { Clock } from '../clock.ts'
import type { DirectDesk } from '../direct/direct-desk.ts'
import type { DirectService } from '../direct/direct-service.ts'
import { BudgetBook } from '../jobs/budget-book.ts'
import type { JobOutlet } from '../jobs/orc-delivery.ts'
import { JobDesk } from '../jobs/job-desk.ts'
import type { RunnerContext } from '../jobs/job-runner.ts'
import { ReplayCache } from '../jobs/replay-cache.ts'
import type { Workbench } from '../jobs/workbench.ts'
import type { Logger } from '../log.ts'
import type { RemoteModels } from '../models/remote-models.ts'
import type { OwnerWishes } from '../policy/owner-wishes.ts'
import type { Identity } from '../state/identity.ts'
import type { OrcRecordFile } from '../state/orc-record.ts'
import type { JwksSource } from '../tokens/jwks-source.ts'
import { Announcement } from './announcement.ts'
import { CommandDesk } from './command-desk.ts'
import { StatusReporter } from './status-reporter.ts'
import { Willingness } from './willingness.ts'

export interface PresenceOptions {
  readonly identity: Identity
  readonly record: OrcRecordFile
  readonly workbench: Workbench
  readonly owner: OwnerWishes
  readonly keeper: RemoteModels
  readonly jwks: JwksSource
  /** This Host's own address, if it offers Direct Connections. */
  readonly direct: DirectService | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** What this Host is to one Orc: its jobs, its willingness, its commands. Outlives single connections. */
export class OrcPresence {
  readonly #options: PresenceOptions
  readonly #willingness: Willingness
  readonly #announcement: Announcement
  readonly #commands: CommandDesk
  readonly #jobs: JobDesk
  readonly #directJobs: DirectDesk | undefined
  readonly #budget = new BudgetBook()
  readonly #replays = new ReplayCache()
  #issuer: string
  #networks: readonly string[]
  #announced: Status = { type: 'status', freeSlots: 0, accepting: true }
  #goOffline: (() => void) | undefined
  /** As last sent on this connection. */
  #settings = ''

  constructor(options: PresenceOptions) {
    const { record, identity, clock, logger, workbench, jwks, owner, keeper, direct } = options
    this.#options = options
    // As remembered, so that Direct Connections work before the Orc can be reached.
    this.#issuer = record.value.issuer ?? ''
    this.#networks = record.value.networks
    this.#willingness = new Willingness(record.value.paused, owner)
    const willingness = this.#willingness
    this.#announcement = new Announcement({ workbench, willingness, owner, direct })
    this.#commands = new CommandDesk({ record, willingness, owner, keeper })
    const accepting = (): boolean => willingness.accepting
    const fixed = {
      identity,
      hostId: identity.hostId,
      clock,
      logger,
      workbench,
      accepting,
      declines: (texts: Iterable<string>) => owner.declines(texts),
      ownFirst: () => owner.settings.ownJobsFirst,
      getKey: jwks.getKey,
    }
    const memory = { budget: this.#budget, replays: this.#replays }
    const context = (): RunnerContext => ({
      ...fixed,
      ...memory,
      issuer: this.#issuer,
      networks: this.networks,
    })
    this.#jobs = new JobDesk(context)
    this.#directJobs = direct?.desk(record.value.url, () => ({
      ...context(),
      accepting: () => willingness.accepting && owner.settings.direct,
    }))
  }

  /** Networks that are served: those that this Host may serve and its owner wants served. */
  get networks(): readonly string[] {
    const { networks } = this.#options.owner.settings
    return this.#networks.filter((name) => networks === null || networks.includes(name))
  }

  /** Why nothing is taken from this Orc; undefined while it is. */
  get reason(): IdleReason | undefined {
    return this.#announcement.status().reason
  }

  /** The first message of a connection (H1). */
  hello(): Hello {
    this.#announced = this.#announcement.status()
    return this.#announcement.hello(this.#jobs.running)
  }

  /** The Orc welcomed this Host: jobs, status and commands go over `outlet` until `offline`. */
  online(welcome: Welcome, outlet: JobOutlet): void {
    const { clock, workbench, owner } = this.#options
    this.#issuer = welcome.issuer
    this.#networks = welcome.networks
    const reporter = new StatusReporter({
      clock,
      announced: this.#announced,
      read: () => this.#announcement.status(),
      send: (status) => outlet.send(status),
    })
    const notify = (): void => reporter.notify()
    const subscriptions = [
      workbench.slots.onChange(notify),
      workbench.models.onStateChange(notify),
      workbench.models.onOffersChange(() => {
        outlet.send(this.#announcement.models())
        notify()
      }),
      owner.onChange(() => this.#sendSettings(outlet)),
      this.#willingness.onChange(() => {
        if (!this.#willingness.accepting) {
          this.#jobs.refuseWaiting()
          this.#directJobs?.refuseWaiting()
        }
        notify()
      }),
    ]
    this.#goOffline = () => {
      reporter.stop()
      for (const unsubscribe of subscriptions) unsubscribe()
      this.#jobs.detach()
      this.#directJobs?.offline()
    }
    this.#jobs.attach(outlet, welcome.resume)
    this.#directJobs?.online((report) => outlet.send(report))
    this.#settings = ''
    this.#sendSettings(outlet)
    notify()
  }

  /** The connection is gone, if there was one. */
  offline(): void {
    this.#goOffline?.()
    this.#goOffline = undefined
  }

  /** A message after `welcome`. `outlet` is the connection that it came over. */
  receive(message: Exclude<Down, Welcome>, outlet: JobOutlet): void {
    switch (message.type) {
      case 'run':
        return void this.#jobs.start(message)
      case 'cancel':
        return this.#jobs.cancel(message)
      case 'credit':
        return this.#jobs.credit(message)
      case 'drain':
        return this.#willingness.drain()
      case 'command':
        return void this.#command(message, outlet)
      case 'direct-noted':
        return void this.#directJobs?.noted(message.jobIds)
      case 'direct-revoked':
        return void this.#directJobs?.revoked(message.tokenIds)
    }
  }

  /** Takes nothing new until `resume`, and stays connected. */
  holdBack(): void {
    this.#willingness.drain()
  }

  /** The owner on this machine ends whatever keeps work of this Orc away, a pause that came from afar included. */
  async resume(): Promise<void> {
    this.#willingness.resume()
    await this.#options.record.update({ paused: false })
  }

  /** Takes nothing new, lets running jobs end, and cancels those that still run when the deadline is aborted. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#willingness.stop()
    if (this.#goOffline === undefined) this.#jobs.abandon()
    if (deadline.aborted) this.#jobs.cancelAll()
    else deadline.addEventListener('abort', () => this.#jobs.cancelAll(), { once: true })
    await Promise.all([this.#jobs.idle(), this.#directJobs?.drain(deadline)])
  }

  /** Resolves when no job of this Orc is left. */
  idle(): Promise<void> {
    return this.#jobs.idle()
  }

  /** Cancels and forgets every job: no connection will come again. */
  abandon(): void {
    this.#jobs.abandon()
    this.#directJobs?.abandon()
  }

  async #command(command: Command, outlet: JobOutlet): Promise<void> {
    try {
      outlet.send(await this.#commands.handle(command))
    } catch (error) {
      // Not acknowledged, so the Orc delivers it again (Q2).
      this.#options.logger.error(
        { commandId: command.commandId, err: error },
        'a command could not be carried out',
      )
    }
  }

  /** The owner's wishes, if they are others than the Orc knows (H12). */
  #sendSettings(outlet: JobOutlet): void {
    const report = this.#announcement.settings()
    const settings = JSON.stringify(report)
    if (settings === this.#settings) return
    this.#settings = settings
    outlet.send(report)
  }
}
