import { Command } from 'commander'
import { ExitCode, Failure } from '../exit-codes.ts'
import { describeLoginCode } from '../orc/login-codes.ts'
import { startOrc } from '../orc/start-orc.ts'
import { note, print } from '../output.ts'
import { Shutdown } from '../shutdown.ts'
import { announce } from './announce.ts'
import { orcOptions, type ServeOptions, serveOptions } from './serve-options.ts'

/** `daisi-orc serve`: an Orc until Ctrl-C. */
export function serveCommand(): Command {
  const command = new Command('serve').description('run an Orc on this machine (the default command)')
  for (const option of serveOptions()) command.addOption(option)
  return command.action(serve)
}

async function serve(options: ServeOptions): Promise<void> {
  const shutdown = new Shutdown()
  const orc = await startOrc({
    ...orcOptions(options, process.env),
    log: note,
    onLoginCode: (code) => print(describeLoginCode(code)),
  })
  shutdown.add(orc)
  try {
    await announce(orc, options.listen, options.state)
    await Promise.race([shutdown.requested, orc.exited])
    if (!shutdown.isRequested)
      throw new Failure(ExitCode.Orc, 'The Orc ended by itself. Start it again; nothing is lost.')
  } finally {
    await shutdown.stop()
  }
  print('Stopped.')
}
