import { styleText } from 'node:util'

type Style = 'bold' | 'dim' | 'red' | 'green' | 'cyan'

/** Text with colour, if the stream is a terminal whose owner wants colour. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return stream.isTTY && !process.env['NO_COLOR'] ? styleText(style, text) : text
}

/** Writes lines for the person who started the program. */
export function print(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`)
}

/** Writes text as it is. */
export function printText(text: string): void {
  process.stdout.write(text)
}

/** Writes a line beside the output, such as a log record. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Says what went wrong. */
export function printError(message: string): void {
  note(`${styled('red', 'error', process.stderr)} ${message}`)
}
