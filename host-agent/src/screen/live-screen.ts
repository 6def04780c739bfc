import type { ReadStream, WriteStream } from 'node:tty'
import type { Activity, AgentStatus } from '../control/agent-status.ts'
import type { ControlTarget } from '../control/control-target.ts'
import { DONE, type Outcome } from '../outcome.ts'
import { renderScreen } from './render-screen.ts'

// Of the control sequences of ECMA-48 and xterm: other screen, cursor away, cursor home, rest of the line, and back.
const ENTER = '\u001B[?1049h\u001B[?25l'
const LEAVE = '\u001B[?25h\u001B[?1049l'
const HOME = '\u001B[H'
const CLEAR_LINE = '\u001B[K'

const MOST_ACTIVITIES = 200
const CTRL_C = '\u0003'

export interface LiveScreenOptions {
  readonly target: ControlTarget
  readonly input: ReadStream
  readonly output: WriteStream
  /** The owner wants to end the agent; the second time at once. */
  readonly onQuit: () => void
}

/** The agent on a whole terminal, with keys. `close` gives the terminal back as it was. */
export class LiveScreen {
  readonly #options: LiveScreenOptions
  readonly #activities: Activity[] = []
  readonly #unwatch: () => void
  #status: AgentStatus | undefined
  #notice: string | undefined
  #isOpen = true

  constructor(options: LiveScreenOptions) {
    this.#options = options
    const { target, input, output } = options
    output.write(ENTER)
    // However this process ends, its owner gets a terminal that works.
    process.once('exit', this.#leave)
    input.setRawMode(true)
    input.setEncoding('utf8')
    input.on('data', this.#onKey)
    // Whoever asked questions before has paused it.
    input.resume()
    output.on('resize', this.#draw)
    this.#unwatch = target.watch((event) => {
      if (event.type === 'status') this.#status = event.status
      else this.#remember(event.activity)
      this.#draw()
    })
  }

  close(): void {
    if (!this.#isOpen) return
    const { input, output } = this.#options
    this.#unwatch()
    input.off('data', this.#onKey)
    output.off('resize', this.#draw)
    input.setRawMode(false)
    input.pause()
    process.off('exit', this.#leave)
    this.#leave()
  }

  readonly #leave = (): void => {
    this.#isOpen = false
    this.#options.output.write(LEAVE)
  }

  readonly #draw = (): void => {
    const { output } = this.#options
    if (this.#status === undefined || !this.#isOpen) return
    const content = {
      status: this.#status,
      activities: this.#activities,
      notice: this.#notice,
      colors: output.hasColors(),
    }
    const lines = renderScreen(content, { columns: output.columns, rows: output.rows })
    output.write(HOME + lines.map((line) => line + CLEAR_LINE).join('\r\n'))
  }

  readonly #onKey = (keys: string): void => {
    for (const key of keys) void this.#press(key)
  }

  async #press(key: string): Promise<void> {
    const { target, onQuit } = this.#options
    switch (key) {
      case 'p': {
        const isPaused = this.#status?.reason === 'paused' || this.#status?.reason === 'draining'
        return this.#say(
          isPaused ? 'takes work again' : 'paused',
          isPaused ? target.resume() : target.pause(),
        )
      }
      case 'd':
        return this.#say(
          'finishes what runs and takes nothing new',
          target.drain().then(() => DONE),
        )
      case 'q':
      case CTRL_C:
        this.#notice = ' ending when what runs is finished; again to end at once'
        this.#draw()
        return onQuit()
    }
  }

  async #say(notice: string, asked: Promise<Outcome<undefined>>): Promise<void> {
    try {
      const done = await asked
      if (done.ok) this.#remember({ at: Date.now(), kind: 'owner', text: notice })
      else this.#notice = ` ${done.message}`
    } catch (error) {
      this.#notice = ` ${error instanceof Error ? error.message : 'that did not work'}`
    }
    this.#draw()
  }

  #remember(activity: Activity): void {
    this.#activities.push(activity)
    if (this.#activities.length > MOST_ACTIVITIES) this.#activities.shift()
  }
}
