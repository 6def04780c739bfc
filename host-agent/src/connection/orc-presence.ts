import {
  type Command,
  type Down,
  type Hello,
  MINIMUM_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type Status,
  type Welcome,
} from '@daisi/protocol'
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
import type { Identity } from '../state/identity.ts'
import type { OrcRecordFile } from '../state/orc-record.ts'
import type { JwksSource } from '../tokens/jwks-source.ts'
import { AGENT_VERSION } from '../version.ts'
import { CommandDesk } from './command-desk.ts'
import { StatusReporter } from './status-reporter.ts'
import { Willingness } from './willingness.ts'

export interface PresenceOptions {
  readonly identity: Identity
  readonly record: OrcRecordFile
  readonly workbench: Workbench
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
  readonly #commands: CommandDesk
  readonly #jobs: JobDesk
  readonly #directJobs: DirectDesk | undefined
  readonly #budget = new BudgetBook()
  readonly #replays = new ReplayCache()
  #issuer: string
  #networks: readonly string[]
  #announced: Status = { type: 'status', freeSlots: 0, accepting: true }
  #goOffline: (() => void) | undefined

  constructor(options: PresenceOptions) {
    const { record, identity, clock, logger, workbench, jwks } = options
    this.#options = options
    // As remembered, so that Direct Connections work before the Orc can be reached.
    this.#issuer = record.value.issuer ?? ''
    this.#networks = record.value.networks
    this.#willingness = new Willingness(record.value.paused)
    this.#commands = new CommandDesk(record, this.#willingness)
    const accepting = (): boolean => this.#willingness.accepting
    const fixed = {
      identity,
      hostId: identity.hostId,
      clock,
      logger,
      workbench,
      accepting,
      getKey: jwks.getKey,
    }
    const memory = { budget: this.#budget, replays: this.#replays }
    const context = (): RunnerContext => ({
      ...fixed,
      ...memory,
      issuer: this.#issuer,
      networks: this.#networks,
    })
    this.#jobs = new JobDesk(context)
    this.#directJobs = options.direct?.desk(record.value.url, context)
  }

  /** The first message of a connection (H1). */
  hello(): Hello {
    const { offer, slots } = this.#options.workbench
    const { accepting } = this.#willingness
    const { direct } = this.#options
    this.#announced = { type: 'status', freeSlots: this.#freeSlots, accepting }
    return {
      type: 'hello',
      protocol: { version: PROTOCOL_VERSION, minimum: MINIMUM_PROTOCOL_VERSION },
      agent: { name: 'daisi-host', version: AGENT_VERSION },
      models: [offer],
      slots: { total: slots.total, free: this.#freeSlots, queue: slots.queue },
      accepting,
      ...(direct !== undefined && { direct: direct.offer }),
      running: this.#jobs.running,
    }
  }

  /** The Orc welcomed this Host: jobs, status and commands go over `outlet` until `offline`. */
  online(welcome: Welcome, outlet: JobOutlet): void {
    const { clock, workbench } = this.#options
    this.#issuer = welcome.issuer
    this.#networks = welcome.networks
    const reporter = new StatusReporter({
      clock,
      announced: this.#announced,
      read: () => this.#status(),
      send: (status) => outlet.send(status),
    })
    const notify = (): void => reporter.notify()
    const subscriptions = [
      workbench.slots.onChange(notify),
      workbench.engine.onReadyChange(notify),
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

  /** Takes nothing new, lets running jobs end, and cancels those that still run when the deadline is aborted. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#willingness.stop()
    if (this.#goOffline === undefined) this.#jobs.abandon()
    if (deadline.aborted) this.#jobs.cancelAll()
    else deadline.addEventListener('abort', () => this.#jobs.cancelAll(), { once: true })
    await Promise.all([this.#jobs.idle(), this.#directJobs?.drain(deadline)])
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

  get #freeSlots(): number {
    const { engine, slots } = this.#options.workbench
    return engine.ready ? slots.free : 0
  }

  #status(): Status {
    const { tokensPerSecond } = this.#options.workbench.speed
    const speed = tokensPerSecond === undefined ? {} : { tokensPerSecond }
    return { type: 'status', freeSlots: this.#freeSlots, accepting: this.#willingness.accepting, ...speed }
  }
}
