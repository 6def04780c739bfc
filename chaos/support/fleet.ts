import type { AccountCreated, EnrolmentCreated } from '../../protocol/src/index.ts'
import { type Helper, startHelper } from '../../bench/support/child.ts'
import { HostIdentity, type SavedIdentity } from '../../bench/support/host-identity.ts'
import type { RestlessHostOptions, RestlessHostQuestion } from '../../bench/support/restless-host.ts'
import type { WorkDone } from '../../bench/support/restless-job.ts'
import { manageApi } from '../../orc-local/src/manage-api.ts'

/** Name of the model that the Hosts serve. */
export const CHAOS_MODEL = 'chaos'

const SLOTS = 6

/** Hosts in processes of their own, some of which die now and then and come back. */
export class Fleet {
  readonly #identities: readonly SavedIdentity[]
  readonly #random: () => number
  #hosts: Helper[] = []
  /** One question at a time: an answer does not say to which it belongs. */
  #last: Promise<unknown> = Promise.resolve()
  deaths = 0

  private constructor(identities: readonly SavedIdentity[], random: () => number) {
    this.#identities = identities
    this.#random = random
  }

  /** Enrols one Host for each owner and starts it. */
  static async start(url: string, owners: readonly AccountCreated[], random: () => number): Promise<Fleet> {
    const identities: SavedIdentity[] = []
    for (const { token } of owners) {
      const enrolment = await manageApi(url, token).post<EnrolmentCreated>('/api/host-enrolments', {})
      identities.push(await (await HostIdentity.enrol(url, enrolment.token)).saved())
    }
    const fleet = new Fleet(identities, random)
    fleet.#hosts = await Promise.all(identities.map((identity) => fleet.#startHost(identity)))
    return fleet
  }

  /** What the Hosts did since they were asked last. */
  work(): Promise<WorkDone[]> {
    return this.#exclusive(async () => {
      const answers = await Promise.all(this.#hosts.map((host) => question(host, { die: false })))
      return answers.flat()
    })
  }

  /** One Host's process ends at once, whatever it is doing, and is started again. Answers what it had done. */
  replaceOne(): Promise<WorkDone[]> {
    return this.#exclusive(async () => {
      const index = Math.floor(this.#random() * this.#hosts.length)
      const host = this.#hosts[index]
      const identity = this.#identities[index]
      if (host === undefined || identity === undefined) return []
      const work = await question(host, { die: true })
      this.deaths++
      await host.stop()
      this.#hosts[index] = await this.#startHost(identity)
      return work
    })
  }

  async stop(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.stop()))
  }

  #startHost(identity: SavedIdentity): Promise<Helper> {
    const seed = Math.floor(this.#random() * 2 ** 32)
    const options: RestlessHostOptions = { identity, model: CHAOS_MODEL, slots: SLOTS, seed }
    return startHelper('restless-host.ts', options)
  }

  #exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}

async function question(host: Helper, asked: RestlessHostQuestion): Promise<WorkDone[]> {
  return ((await host.ask(asked)) as { work: WorkDone[] }).work
}
