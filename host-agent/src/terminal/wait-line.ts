import type { CommandOutput } from './command-output.ts'

const FRAMES = ['◒', '◐', '◓', '◑'] as const
const FRAME_MS = 120
const CLEAR_LINE = '\r\u001B[K'

/** Shows on a terminal that something takes a moment, until it is done. The keyboard stays as it is, so that Ctrl-C is a signal. */
export async function showWaiting<Value>(
  output: CommandOutput,
  what: string,
  work: Promise<Value>,
): Promise<Value> {
  if (!output.isTerminal) return work
  let frame = 0
  const draw = (): void => {
    output.note(`${CLEAR_LINE}${FRAMES[frame % FRAMES.length]}  ${what}…`.slice(0, output.width + 3))
    frame++
  }
  draw()
  const timer = setInterval(draw, FRAME_MS)
  try {
    return await work
  } finally {
    clearInterval(timer)
    output.note(CLEAR_LINE)
  }
}
