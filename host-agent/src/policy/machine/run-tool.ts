import { execFile } from 'node:child_process'

const MAX_OUTPUT_BYTES = 256 * 1024

/** What a command prints, in English; undefined if it is not installed, fails, prints too much or is aborted. */
export function runTool(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = {
      signal,
      maxBuffer: MAX_OUTPUT_BYTES,
      windowsHide: true,
      killSignal: 'SIGKILL',
      env: { ...process.env, LC_ALL: 'C' },
    } as const
    const child = execFile(command, args, options, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    )
    child.stdin?.end()
  })
}
