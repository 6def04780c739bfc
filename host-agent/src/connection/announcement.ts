import {
  type Hello,
  MINIMUM_PROTOCOL_VERSION,
  type Models,
  PROTOCOL_VERSION,
  type SettingsReport,
  type Status,
} from '@daisi/protocol'
import type { DirectService } from '../direct/direct-service.ts'
import type { Workbench } from '../jobs/workbench.ts'
import type { OwnerWishes } from '../policy/owner-wishes.ts'
import { AGENT_VERSION } from '../version.ts'
import type { Willingness } from './willingness.ts'

export interface AnnouncementOptions {
  readonly workbench: Workbench
  readonly willingness: Willingness
  readonly owner: OwnerWishes
  /** This Host's own address, if it has one. */
  readonly direct: DirectService | undefined
}

/** What this Host says of itself to one Orc. */
export class Announcement {
  readonly #options: AnnouncementOptions

  constructor(options: AnnouncementOptions) {
    this.#options = options
  }

  /** The first message of a connection (H1). */
  hello(running: Hello['running']): Hello {
    const { workbench, owner, direct } = this.#options
    const { slots, models } = workbench
    const { freeSlots, accepting } = this.status()
    const { networks, direct: isDirectWanted } = owner.settings
    return {
      type: 'hello',
      protocol: { version: PROTOCOL_VERSION, minimum: MINIMUM_PROTOCOL_VERSION },
      agent: { name: 'daisi-host', version: AGENT_VERSION },
      models: [...models.offers],
      modelStates: [...models.states],
      slots: { total: slots.total, free: freeSlots, queue: slots.queue },
      accepting,
      ...(networks !== null && { networks }),
      ...(direct !== undefined && isDirectWanted && { direct: direct.offer }),
      running,
    }
  }

  /** What changes often (H4, H11). */
  status(): Status {
    const { workbench, willingness } = this.#options
    const { slots, models } = workbench
    const isUseless = models.isUseless
    const reason = willingness.reason ?? (isUseless ? 'no_model' : undefined)
    const states = models.states
    const speeds = models.all.flatMap(({ speed }) => speed.tokensPerSecond ?? [])
    return {
      type: 'status',
      freeSlots: isUseless ? 0 : slots.free,
      accepting: reason === undefined,
      ...(reason !== undefined && { reason }),
      ...(speeds.length > 0 && { tokensPerSecond: Math.max(...speeds) }),
      ...(states.length > 0 && { models: [...states] }),
    }
  }

  /** What it serves now (H9). */
  models(): Models {
    return { type: 'models', models: [...this.#options.workbench.models.offers] }
  }

  /** What its owner wants (H12). What prompts are declined is nobody else's business. */
  settings(): SettingsReport {
    const { blocklist, remote, ...settings } = this.#options.owner.settings
    return {
      type: 'settings',
      remote: remote.settings,
      settings: { ...settings, blocklist: blocklist.length },
    }
  }
}
