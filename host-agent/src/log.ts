import { type DestinationStream, type Logger, pino } from 'pino'
import { printable } from './printable.ts'

export type { Logger } from 'pino'

/** Names of the levels that `--log-level` takes. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: '',
  40: 'warning',
  50: 'error',
  60: 'fatal',
}
const FIELDS_NOT_SHOWN: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'event', 'err'])

/** How stderr is written to: JSON lines for machines, short lines for people, or not at all. */
export type LogFormat = 'json' | 'human' | 'none'

/** Logs to stderr, and to the sinks always in JSON. Prompts, answers and tokens are never given to it. */
export function createLogger(level: LogLevel, format: LogFormat, ...sinks: DestinationStream[]): Logger {
  const stderr = pino.destination({ dest: 2, sync: true })
  const destination: DestinationStream = {
    write(line) {
      if (format !== 'none') stderr.write(format === 'json' ? line : formatLine(line))
      for (const sink of sinks) sink.write(line)
    },
  }
  return pino({ level, base: null }, destination)
}

/** One JSON log line as a short line for people. */
export function formatLine(line: string): string {
  const record = JSON.parse(line) as Record<string, unknown>
  const level = LEVEL_NAMES[Number(record['level'])] ?? ''
  const time = new Date(Number(record['time'])).toTimeString().slice(0, 8)
  const error = record['err'] as { readonly message?: string } | undefined
  const fields = Object.entries(record)
    .filter(([name]) => !FIELDS_NOT_SHOWN.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  if (error?.message !== undefined) fields.push(`(${error.message})`)
  const words = [time, level === '' ? '' : `${level}:`, String(record['msg']), ...fields]
  return `${printable(words.filter((word) => word !== '').join(' '))}\n`
}
