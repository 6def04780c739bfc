import { networkInterfaces } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ExitCode, Failure } from '../exit-codes.ts'
import { isSetUp } from '../is-set-up.ts'
import { type ListenAddress, parseListenAddress } from '../orc/listen-address.ts'
import { type RunningOrc, startOrc } from '../orc/start-orc.ts'
import { note, print, styled } from '../output.ts'
import { Shutdown } from '../shutdown.ts'

interface ServeOptions {
  readonly listen: ListenAddress
  readonly state: string
  readonly name?: string
  readonly signupGrant?: string
}

/** `daisi-orc serve`: an Orc until Ctrl-C. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run an Orc on this machine (the default command)')
    .addOption(
      new Option('--listen <host:port>', 'address to listen on; 0.0.0.0 for every network')
        .argParser(listenArgument)
        .default({ host: '127.0.0.1', port: 8787 }, '127.0.0.1:8787'),
    )
    .option('--state <folder>', 'where secrets and databases live', '.daisi/orc')
    .option('--name <name>', 'name that the Orc shows')
    .option('--signup-grant <credits>', 'credits that a new account gets', creditsArgument)
    .action(serve)
}

async function serve({ listen, state, name, signupGrant }: ServeOptions): Promise<void> {
  const shutdown = new Shutdown()
  const vars = {
    ...(name === undefined ? {} : { ORC_NAME: name }),
    ...(signupGrant === undefined ? {} : { SIGNUP_GRANT: signupGrant }),
  }
  const orc = await startOrc({ stateDir: state, host: listen.host, port: listen.port, vars, log: note })
  shutdown.add(orc)
  try {
    await announce(orc, listen, state)
    await Promise.race([shutdown.requested, orc.exited])
    if (!shutdown.isRequested)
      throw new Failure(ExitCode.Orc, 'The Orc ended by itself. Start it again; nothing is lost.')
  } finally {
    await shutdown.stop()
  }
  print('Stopped.')
}

async function announce(orc: RunningOrc, listen: ListenAddress, state: string): Promise<void> {
  print(`${styled('green', 'Orc')} ${styled('bold', orc.url)}  (state in ${state}; Ctrl-C stops it)`)
  if (listen.host === '0.0.0.0' || listen.host === '::') {
    for (const url of reachableUrls(orc.port)) print(`    ${url}`)
  }
  if (await isSetUp(orc)) return
  print(
    '',
    'It has no operator yet. In another terminal:',
    `  npx daisi-orc setup --orc ${orc.url} --setup-token ${orc.setupToken} --name operator`,
  )
}

/** What other machines may call this one. */
function reachableUrls(port: number): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  return addresses
    .filter((entry) => entry.family === 'IPv4' && !entry.internal)
    .map((entry) => `http://${entry.address}:${port}`)
}

function listenArgument(text: string): ListenAddress {
  const address = parseListenAddress(text)
  if (address === undefined) throw new InvalidArgumentError('Use host:port, for instance 127.0.0.1:8787.')
  return address
}

function creditsArgument(text: string): string {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Use a whole number of credits, 0 or more.')
  return text
}
