import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { DEMO_PROGRAM } from './paths.ts'
import { Program } from './program.ts'

/** Credits of the two sides, as the demo prints them. */
export interface PrintedBalances {
  readonly consumer: number
  readonly hostOwner: number
}

/** The demo as a person starts it: `npm start -- …`. Killed after the test if it still runs. */
export class Demo extends Program {
  constructor(args: readonly string[]) {
    super(DEMO_PROGRAM, ['--port', '0', ...args])
    onTestFinished(() => this[Symbol.asyncDispose]())
  }

  /** Resolves when it has said everything and stays up. */
  ready(): Promise<void> {
    return this.printed(() => this.out.some((line) => line.startsWith('Ctrl-C')))
  }

  /** The first lines of the section under this title. */
  section(title: string): readonly string[] {
    const start = this.out.findIndex((line) => line.startsWith(title)) + 1
    if (start === 0) throw new Error(`there is no "${title}" in\n${this.tail}`)
    const length = this.out.slice(start).findIndex((line) => line === '')
    return this.out.slice(start, start + length).map((line) => line.trim())
  }

  /** The rows `Balances`, in order. */
  get balances(): readonly PrintedBalances[] {
    return [...this.out.join('\n').matchAll(/Balances +consumer (\d+).*host-owner (\d+)/g)].map((match) => ({
      consumer: Number(match[1]),
      hostOwner: Number(match[2]),
    }))
  }

  /** What it said was wrong. */
  get error(): string {
    return this.err.join('\n')
  }
}

/** An empty folder for one test, removed after it. */
export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'daisi-e2e-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** The words of a command line as a shell makes them. */
export function shellWords(line: string): string[] {
  const words = line.matchAll(/(?:'[^']*'|\\.|[^\s'\\])+/g)
  return [...words].map(([word]) => word.replaceAll(/'([^']*)'|\\(.)/g, '$1$2'))
}
