import { Command } from 'commander'
import { backupCommand } from './cli/backup.ts'
import { catalogueCommand } from './cli/catalogue.ts'
import { rotateKeysCommand } from './cli/rotate-keys.ts'
import { secretsCommand } from './cli/secrets.ts'
import { serveCommand } from './cli/serve.ts'
import { setupCommand } from './cli/setup.ts'
import { runProgram } from './run-program.ts'

const program = new Command('daisi-orc')
  .description('A self-hosted DAISI Orc: the rally point of a network, on this machine.')
  .addCommand(serveCommand(), { isDefault: true })
  .addCommand(setupCommand())
  .addCommand(catalogueCommand())
  .addCommand(backupCommand())
  .addCommand(rotateKeysCommand())
  .addCommand(secretsCommand())

await runProgram(program)
