import { isDeepStrictEqual } from 'node:util'
import type { OwnerSettings } from '../state/owner-settings.ts'

/** When an owner lends the machine, as the setup asks for it. */
export const WORK_TIMES = ['always', 'idle', 'night'] as const
export type WorkTime = (typeof WORK_TIMES)[number]

type WorkSettings = Pick<OwnerSettings, 'schedule' | 'onlyWhenIdle'>

const SETTINGS: Readonly<Record<WorkTime, WorkSettings>> = {
  always: { schedule: [], onlyWhenIdle: null },
  // Long enough to read a page; a GPU that shows a desktop is never quite still.
  idle: {
    schedule: [],
    onlyWhenIdle: { noInputMinutes: 10, onPower: true, gpuBelowPercent: 30 },
  },
  night: {
    schedule: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '22:00', to: '07:00' }],
    onlyWhenIdle: null,
  },
}

/** For people. */
export const WORK_TIME_WORDS: Readonly<Record<WorkTime, string>> = {
  always: 'always',
  idle: 'only while nobody uses this machine',
  night: 'at night, from 22:00 to 07:00',
}

export function settingsOf(time: WorkTime): WorkSettings {
  return SETTINGS[time]
}

/** Which of them settings mean; undefined: the owner has settings of another kind. */
export function workTimeOf({ schedule, onlyWhenIdle }: WorkSettings): WorkTime | undefined {
  return WORK_TIMES.find((time) => isDeepStrictEqual({ schedule, onlyWhenIdle }, SETTINGS[time]))
}
