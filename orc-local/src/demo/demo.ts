import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { ExitCode } from '../exit-codes.ts'
import { note } from '../output.ts'
import { runProgram } from '../run-program.ts'
import { Shutdown } from '../shutdown.ts'
import { type DemoOptions, runDemo } from './run-demo.ts'

/** The model that ships with the repository; this file runs as `orc-local/dist/demo.js`. */
const bundledModel = join(import.meta.dirname, '../../models/daisi-nano/daisi-nano.gguf')

const program = new Command('npm start --')
  .description('A whole DAISI network on this machine: an Orc, a Host and one chat.')
  .option('--once', 'end after the chat', false)
  .option('--port <port>', 'port of the Orc; 0 takes a free one', portArgument, 8787)
  .option('--state <folder>', 'where everything is kept', '.daisi')
  .option('--model <file>', 'GGUF file that the Host serves', bundledModel)
  .option('--prompt <text>', 'what to ask', 'What is DAISI?')
  .action(demo)

await runProgram(program)

async function demo(options: DemoOptions): Promise<void> {
  const shutdown = new Shutdown()
  try {
    await Promise.race([runDemo(options, shutdown), shutdown.requested])
  } catch (error) {
    if (!shutdown.isRequested) throw error
  } finally {
    if (shutdown.isRequested) note('Stopping …')
    await shutdown.stop()
  }
  // A start that the signal overtook would go on; nothing of it is needed any more.
  process.exit(ExitCode.Ok)
}

function portArgument(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('Use a number from 0 to 65535.')
  return port
}
