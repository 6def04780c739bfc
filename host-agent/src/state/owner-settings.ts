import { idleRule, networkName, scheduleWindow } from '@daisi/protocol'
import * as z from 'zod'

/**
 * What the owner of this machine wants, as it stands in the configuration file. Everything has a default: a file names only
 * what differs.
 */
export const ownerSettings = z.strictObject({
  /** True: takes no work until told otherwise. */
  paused: z.boolean().default(false),
  /** When it works, by the machine's own clock. Empty: always. */
  schedule: z.array(scheduleWindow).max(32).default([]),
  /** Works only while the machine is idle; null: always. */
  onlyWhenIdle: idleRule.nullable().default(null),
  /** Jobs that run at once, over all models; null: as many as `slots`. */
  maxConcurrency: z.int().min(1).max(1_024).nullable().default(null),
  /** Tokens, prompts and answers together, processed for others in a day (the machine's own midnight); null: no limit. */
  maxTokensPerDay: z.int().min(0).nullable().default(null),
  /** Jobs of the owner's own account go before those of others that wait. */
  ownJobsFirst: z.boolean().default(true),
  /** The only Networks that are served; null: every one. */
  networks: z.array(networkName).max(64).nullable().default(null),
  /** False: no Direct Connections, where this Host listens for them. */
  direct: z.boolean().default(true),
  /** Prompts that contain one of these texts, whatever their case, are declined. */
  blocklist: z.array(z.string().min(1).max(256)).max(1_000).default([]),
  /** Memory that loaded models may take together, in bytes; null: what the machine has, less a reserve. */
  memoryBytes: z.int().positive().nullable().default(null),
  /** Of the GPU, in bytes; null: what it has. */
  vramBytes: z.int().min(0).nullable().default(null),
  /** Threads of each engine; null: 1 for small models, else all cores. */
  threads: z.int().min(1).max(1_024).nullable().default(null),
  /** What an Orc may change in its owner's name. Only this machine changes this. */
  remote: z
    .strictObject({
      /** The settings above, without blocklist, memory and threads. A pause of it is always obeyed. */
      settings: z.boolean().default(true),
      /** Models of the Orc's catalogue, by hash. */
      models: z.boolean().default(false),
    })
    .prefault({}),
})
export type OwnerSettings = z.infer<typeof ownerSettings>
