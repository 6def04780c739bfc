import { Command, Option } from 'commander'
import { OrcError } from '../errors.ts'
import { acquireLock } from '../lock-file.ts'
import { rotateSecretsFile } from '../orc/secrets.ts'
import type { KeyRotation } from '../orc/signing-keys.ts'
import { existingStateFolder } from '../orc/state-folder.ts'
import { print } from '../output.ts'

interface RotateOptions {
  readonly state: string
  readonly secretsFile?: string
  readonly emergency: boolean
}

const outcomes: Readonly<Record<KeyRotation['outcome'], string>> = {
  shifted: 'The next key signs now. The one before stays published until the next rotation.',
  prepared:
    'The same key signs on: there was no next one. One is published now; rotate again once every Host has asked for the keys.',
  replaced:
    'Every key was replaced. What the old ones signed is refused; Hosts fetch the new ones by themselves.',
}

/** `daisi-orc rotate-keys`: changes the keys that sign Session tokens, of an Orc that does not run. */
export function rotateKeysCommand(): Command {
  return new Command('rotate-keys')
    .description('sign with the next key; the Orc must be stopped')
    .option('--state <folder>', 'state folder of the Orc', '.daisi/orc')
    .addOption(
      new Option(
        '--secrets-file <file>',
        'secrets of an Orc on Cloudflare, in place of a state folder',
      ).conflicts('state'),
    )
    .option('--emergency', 'a key was stolen: drop all keys at once', false)
    .action(rotate)
}

async function rotate({ state, secretsFile, emergency }: RotateOptions): Promise<void> {
  if (secretsFile !== undefined) {
    print(outcomes[await rotateSecretsFile(secretsFile, emergency)])
    print(`Upload them: wrangler deploy --secrets-file ${secretsFile}`)
    return
  }
  const folder = await existingStateFolder(state)
  const lock = acquireLock(folder.lockFile)
  if (!lock.ok) {
    throw new OrcError(
      'state_locked',
      `The Orc in ${folder.dir} runs (process ${lock.holderPid}) and has its keys in memory. Stop it, rotate, start it again.`,
    )
  }
  try {
    print(outcomes[await rotateSecretsFile(folder.secretsFile, emergency)])
  } finally {
    lock.release()
  }
}
