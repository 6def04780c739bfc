import type { AccountCreated } from '@daisi/protocol'
import { Command, InvalidArgumentError } from 'commander'
import { manageApi } from '../manage-api.ts'
import { print } from '../output.ts'

interface SetupOptions {
  readonly orc: string
  readonly setupToken: string
  readonly name: string
}

/** `daisi-orc setup`: makes the operator of a new Orc, here or on Cloudflare. */
export function setupCommand(): Command {
  return new Command('setup')
    .description('create the operator account of a new Orc; works once')
    .requiredOption('--orc <url>', 'address of the Orc', urlArgument)
    .requiredOption('--setup-token <token>', 'its SETUP_TOKEN')
    .option('--name <name>', 'name of the operator account', 'operator')
    .action(async ({ orc, setupToken, name }: SetupOptions) => {
      const account = await manageApi(orc, setupToken).post<AccountCreated>('/api/setup', { name })
      print(
        `Operator account ${account.name} (${account.id}). Its token is shown this once; keep it safe:`,
        '',
        `  ${account.token}`,
      )
    })
}

function urlArgument(text: string): string {
  if (!/^https?:/.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError('Use an address such as http://127.0.0.1:8787.')
  }
  return text
}
