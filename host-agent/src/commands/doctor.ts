import type { Command } from 'commander'
import type { Check } from '../doctor/check.ts'
import { ExitCode } from '../exit-codes.ts'
import { printable } from '../printable.ts'
import { type CommandOutput, processOutput } from '../terminal/command-output.ts'
import { newCommand } from './new-command.ts'
import { insecureOption, orcOption, type OrcFlags, orcTargets, pinOption } from './orc-options.ts'
import { stateOption } from './run-options.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'
import { jsonOption } from './status.ts'

const MARKS: Readonly<Record<Check['state'], string>> = { ok: '✓', warn: '!', fail: '✗' }

interface DoctorFlags extends StateFlag, OrcFlags {
  readonly json?: true
  readonly quick?: boolean
}

/** `daisi-host doctor`: what is wrong on this machine, and how to put it right. Works with a broken configuration: that is what it is for. */
export function doctorCommand(output: CommandOutput = processOutput): Command {
  return newCommand('doctor', 'find out what is wrong, and how to put it right')
    .addOption(orcOption)
    .addOption(pinOption)
    .addOption(insecureOption)
    .option('--quick', 'do not start llama.cpp: nothing is said of engine, GPU and memory')
    .addOption(stateOption)
    .addOption(jsonOption)
    .action(async ({ state, json, quick = false, ...flags }: DoctorFlags) => {
      const named = (flags.orc ?? []).length > 0 ? orcTargets(flags) : []
      // It needs most of the program, of which other commands need little.
      const { diagnose } = await import('../doctor/diagnose.ts')
      const checks = await diagnose(stateFolderOf(state), named, { quick })
      const healthy = checks.every((check) => check.state !== 'fail')
      output.write(json === true ? `${JSON.stringify({ healthy, checks })}\n` : doctorText(checks))
      output.exitWith(healthy ? ExitCode.Ok : ExitCode.Failed)
    })
}

function doctorText(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ name, state, detail, fix }) => [
    `${MARKS[state]} ${printable(name)}: ${printable(detail)}\n`,
    ...(fix === undefined || state === 'ok' ? [] : [`    → ${printable(fix)}\n`]),
  ])
  const count = (state: Check['state']): number => checks.filter((check) => check.state === state).length
  return `${lines.join('')}\n${count('ok')} fine, ${count('warn')} to look at, ${count('fail')} wrong\n`
}
