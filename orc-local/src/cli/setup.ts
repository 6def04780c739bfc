import type { AccountCreated } from '@daisi/protocol'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ExitCode, Failure } from '../exit-codes.ts'
import { manageApi } from '../manage-api.ts'
import { print } from '../output.ts'
import { parsePin } from '../pinned-https.ts'

interface SetupOptions {
  readonly orc: string
  readonly setupToken: string
  readonly name: string
  readonly pin?: string
}

/** `daisi-orc setup`: makes the operator of a new Orc, here or on Cloudflare. */
export function setupCommand(): Command {
  return new Command('setup')
    .description('create the operator account of a new Orc; works once')
    .requiredOption('--orc <url>', 'address of the Orc', urlArgument)
    .addOption(
      // In the environment it is not shown to other users of the machine.
      new Option('--setup-token <token>', 'its SETUP_TOKEN').env('DAISI_SETUP_TOKEN').makeOptionMandatory(),
    )
    .option('--pin <fingerprint>', 'SHA-256 fingerprint of its certificate, as it prints it', pinArgument)
    .option('--name <name>', 'name of the operator account', 'operator')
    .action(async ({ orc, setupToken, name, pin }: SetupOptions) => {
      if (pin !== undefined && !orc.startsWith('https:'))
        throw new Failure(
          ExitCode.Usage,
          'A pin is for an https address: without TLS there is no certificate.',
        )
      const account = await manageApi(orc, setupToken, pin).post<AccountCreated>('/api/setup', { name })
      print(
        `Operator account ${account.name} (${account.id}). Its token is shown this once; keep it safe:`,
        '',
        `  ${account.token}`,
      )
    })
}

function pinArgument(text: string): string {
  const pin = parsePin(text)
  if (pin === undefined) throw new InvalidArgumentError('Use the 64 hex digits that the Orc prints.')
  return pin
}

function urlArgument(text: string): string {
  if (!/^https?:/.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError('Use an address such as http://127.0.0.1:8787.')
  }
  return text
}
