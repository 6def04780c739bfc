import type { AccountCreated } from '@daisi/protocol'
import { Command, Option } from 'commander'
import { manageApi } from '../manage-api.ts'
import { print } from '../output.ts'
import { checkAddress, type OrcAddress, addressOptions } from './orc-address.ts'

interface SetupOptions extends OrcAddress {
  readonly setupToken: string
  readonly name: string
}

/** `daisi-orc setup`: makes the operator of a new Orc, here or on Cloudflare. */
export function setupCommand(): Command {
  const command = new Command('setup').description('create the operator account of a new Orc; works once')
  for (const option of addressOptions()) command.addOption(option)
  return command
    .addOption(
      // In the environment it is not shown to other users of the machine.
      new Option('--setup-token <token>', 'its SETUP_TOKEN').env('DAISI_SETUP_TOKEN').makeOptionMandatory(),
    )
    .option('--name <name>', 'name of the operator account', 'operator')
    .action(async ({ orc, setupToken, name, pin }: SetupOptions) => {
      checkAddress(orc, pin)
      const account = await manageApi(orc, setupToken, pin).post<AccountCreated>('/api/setup', { name })
      print(
        `Operator account ${account.name} (${account.id}). Its token is shown this once; keep it safe:`,
        '',
        `  ${account.token}`,
      )
    })
}
