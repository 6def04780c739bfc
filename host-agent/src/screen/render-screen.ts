import { styleText } from 'node:util'
import type { Activity, AgentStatus } from '../control/agent-status.ts'
import { printable } from '../printable.ts'

/** Size of a terminal, in characters. */
export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

export interface ScreenContent {
  readonly status: AgentStatus
  /** Oldest first. */
  readonly activities: readonly Activity[]
  /** A word to the owner about their last key. */
  readonly notice: string | undefined
  /** False for terminals without colours. */
  readonly colors: boolean
}

type Style = Parameters<typeof styleText>[0]
type Paint = (style: Style, text: string) => string

/** Characters before the facts of a row. */
const LABEL_WIDTH = 10
const BAR_WIDTH = 20
/** Models and Orcs beyond these are counted, not shown. */
const MOST_ROWS_OF_A_KIND = 8

/** The whole screen as lines, exactly as many as there are rows, none longer than there are columns. */
export function renderScreen(content: ScreenContent, size: ScreenSize): string[] {
  const { status, activities, notice, colors } = content
  const paint: Paint = (style, text) => (colors ? styleText(style, text, { validateStream: false }) : text)
  const line = (text: string, style: Style = 'reset'): string => paint(style, cut(text, size.columns))
  const head = [
    line(title(status)),
    line(mood(status), status.reason === undefined ? 'green' : 'yellow'),
    rule('', size, paint),
    ...section('Orcs', status.orcs.map(orcText)).map((text) => line(text)),
    ...section('Models', status.models.map(modelText)).map((text) => line(text)),
    line(row('Slots', slotsText(status))),
    line(row('Speed', `${status.tokensPerSecond.toFixed(1)} tokens/s`)),
    line(row('Today', todayText(status))),
    ...section(
      'Why idle',
      status.problems.map(({ message }) => message),
    ).map((text) => line(text, 'yellow')),
    rule('Activity', size, paint),
  ]
  const foot = [rule('', size, paint), line(notice ?? keys(status), notice === undefined ? 'dim' : 'yellow')]
  const room = Math.max(0, size.rows - foot.length)
  const top = head.slice(0, room)
  const feed = activities
    .slice(Math.max(0, activities.length - (room - top.length)))
    .map((activity) => line(activityText(activity)))
  const empty = Array<string>(Math.max(0, room - top.length - feed.length)).fill('')
  return [...top, ...feed, ...empty, ...foot].slice(0, size.rows)
}

function title({ version, orcs, hostId }: AgentStatus): string {
  const alias = orcs.find((orc) => orc.alias !== undefined)?.alias
  return ` daisi-host ${version} · ${alias ?? hostId.slice(0, 8)}`
}

function mood({ reason, problems, slots, orcs, models }: AgentStatus): string {
  if (reason !== undefined)
    return ` ‖ takes no work: ${problems.find(({ code }) => code === reason)?.message ?? reason}`
  if (slots.free < slots.total) return ' ● at work'
  if (orcs.every(({ state }) => state !== 'online')) return ' ○ connecting'
  return models.some(({ state }) => state === 'loaded') ? ' ○ ready' : ' ○ loading'
}

function orcText({ url, state, networks, problem }: AgentStatus['orcs'][number]): string {
  const more = state === 'online' ? networks.join(', ') : (problem ?? '')
  return [url, state === 'online' ? 'connected' : 'not connected', more]
    .filter((part) => part !== '')
    .join(' · ')
}

function modelText({ id, state, percent, tokensPerSecond, running }: AgentStatus['models'][number]): string {
  const parts = [
    id,
    state === 'loading' && percent !== undefined ? `loading ${bar(percent / 100)} ${percent} %` : state,
  ]
  if (tokensPerSecond !== undefined)
    parts.push(`${tokensPerSecond.toFixed(tokensPerSecond < 10 ? 1 : 0)} tokens/s`)
  if (running > 0) parts.push(`${running} running`)
  return parts.join(' · ')
}

function slotsText({ slots: { total, free, waiting } }: AgentStatus): string {
  const busy = total - free
  const boxes = total <= BAR_WIDTH ? `${'■'.repeat(busy)}${'□'.repeat(free)} ` : ''
  return `${boxes}${busy} of ${total} busy${waiting > 0 ? ` · ${waiting} waiting` : ''}`
}

function todayText({ today: { jobs, failedJobs, tokensForOthers, ownTokens } }: AgentStatus): string {
  const parts = [`${jobs} jobs`, `${number(tokensForOthers)} credits`]
  if (ownTokens > 0) parts.push(`${number(ownTokens)} tokens of your own`)
  if (failedJobs > 0) parts.push(`${failedJobs} failed`)
  return parts.join(' · ')
}

function activityText({ at, text }: Activity): string {
  return ` ${new Date(at).toTimeString().slice(0, 8)}  ${text}`
}

function keys({ reason }: AgentStatus): string {
  return ` p ${reason === undefined ? 'pause' : 'resume'}   d drain   q quit`
}

function section(label: string, texts: readonly string[]): string[] {
  const shown = texts.slice(0, MOST_ROWS_OF_A_KIND)
  const more = texts.length - shown.length
  const all = more > 0 ? [...shown, `and ${more} more`] : shown
  return all.map((text, index) => row(index === 0 ? label : '', text))
}

function row(label: string, text: string): string {
  return ` ${label.padEnd(LABEL_WIDTH)}${text}`
}

function rule(text: string, { columns }: ScreenSize, paint: Paint): string {
  const words = text === '' ? '' : `─ ${text} `
  return paint('dim', cut(words.padEnd(columns, '─'), columns))
}

function bar(part: number): string {
  const full = Math.round(Math.min(1, Math.max(0, part)) * BAR_WIDTH)
  return '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full)
}

function number(count: number): string {
  return count.toLocaleString('en-US')
}

/** What comes from afar may hold control characters, which a terminal would obey. */
function cut(text: string, columns: number): string {
  const characters = Array.from(printable(text))
  return characters.length <= columns
    ? characters.join('')
    : `${characters.slice(0, Math.max(0, columns - 1)).join('')}…`
}
