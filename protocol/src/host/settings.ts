import * as z from 'zod'
import { networkName } from '../ids.ts'

/** A time of day by the machine's own clock. `24:00` ends a day. */
export const timeOfDay = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a time like 08:30')

export const weekday = z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])
export type Weekday = z.infer<typeof weekday>

/** Hours on some days of the week. `to` before `from` ends on the next day; both equal is the whole day. */
export const scheduleWindow = z.strictObject({
  days: z.array(weekday).min(1).max(7),
  from: timeOfDay,
  to: timeOfDay,
})
export type ScheduleWindow = z.infer<typeof scheduleWindow>

/** What must be true of the machine for it to work. */
export const idleRule = z.strictObject({
  /** Minutes without keyboard or mouse. 0 does not ask. */
  noInputMinutes: z.int().min(0).max(1_440),
  /** True: only on mains power. */
  onPower: z.boolean(),
  /** Percent of the GPU that others may use. 100 does not ask. */
  gpuBelowPercent: z.int().min(1).max(100),
})
export type IdleRule = z.infer<typeof idleRule>

/** The part of an owner's wishes that can be changed from afar. What is absent stays as it is; null takes a limit away. */
export const remoteSettings = z.strictObject({
  /** When the Host works. Empty: always. */
  schedule: z.array(scheduleWindow).max(32).optional(),
  onlyWhenIdle: idleRule.nullable().optional(),
  /** Jobs that run at once, over all models. */
  maxConcurrency: z.int().min(1).max(1_024).nullable().optional(),
  /** Tokens, prompts and answers together, that are processed for others in a day. */
  maxTokensPerDay: z.int().min(0).nullable().optional(),
  /** Jobs of the owner's own account go before those of others that wait. */
  ownJobsFirst: z.boolean().optional(),
  /** The only Networks that are served. */
  networks: z.array(networkName).max(64).nullable().optional(),
  /** False: no Direct Connections, where the Host listens for them. */
  direct: z.boolean().optional(),
})
export type RemoteSettings = z.infer<typeof remoteSettings>

/** Host → Orc: its owner's present wishes, after `welcome` and after each change, for the owner to see (H12). */
export const settingsReport = z.object({
  type: z.literal('settings'),
  /** True if `settings` commands are carried out. */
  remote: z.boolean(),
  settings: z.looseObject({}),
})
export type SettingsReport = z.infer<typeof settingsReport>
