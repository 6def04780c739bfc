import { print, styled } from '../output.ts'
import type { ChatReport } from './chat.ts'

const LABEL_WIDTH = 11

/** A line `label  text`. */
export function printRow(label: string, text: string): void {
  print(`  ${styled('dim', label.padEnd(LABEL_WIDTH))}${text}`)
}

/** A step that is through, and how long it took. */
export function printStep(label: string, text: string, startedAt: number): void {
  const seconds = (performance.now() - startedAt) / 1000
  printRow(label, `${text} ${styled('dim', `(${seconds.toFixed(1)} s)`)}`)
}

/** Credits of the two sides. */
export interface Balances {
  readonly consumer: number
  readonly hostOwner: number
}

/** Both balances, with the difference to earlier ones. */
export function printBalances(label: string, now: Balances, before?: Balances): void {
  const side = (name: string, credits: number, earlier?: number): string =>
    `${name} ${credits}${earlier === undefined ? '' : ` (${signed(credits - earlier)})`}`
  printRow(
    label,
    `${side('consumer', now.consumer, before?.consumer)}, ${side('host-owner', now.hostOwner, before?.hostOwner)}`,
  )
}

/** What the answer cost and how fast it was. */
export function printChatReport(report: ChatReport): void {
  const { prompt_tokens: prompt, completion_tokens: generated, prompt_tokens_details: details } = report.usage
  const cached = details.cached_tokens
  const cost = prompt - cached + generated
  printRow('Usage', `${prompt} prompt − ${cached} cached + ${generated} generated = ${cost} credits`)
  // Over the whole answer: tokens travel several to a frame, so the time between two of them says nothing.
  const speed = Math.round((generated / report.totalMs) * 1000)
  printRow(
    'Speed',
    `first token after ${Math.round(report.firstTokenMs)} ms, all ${generated} after ${Math.round(report.totalMs)} ms: ${speed} tokens/s`,
  )
}

function signed(difference: number): string {
  return difference < 0 ? `−${-difference}` : `+${difference}`
}
