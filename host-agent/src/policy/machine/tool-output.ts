import { runTool } from '../../run-tool.ts'

/** What a command prints, in English; undefined if it is not installed, fails, prints too much or is aborted. */
export async function toolOutput(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { code, output } = await runTool(command, args, signal)
  return code === 0 ? output : undefined
}
