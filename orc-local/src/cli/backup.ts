import { Command } from 'commander'
import { backUp } from '../backup/back-up.ts'
import { print } from '../output.ts'
import { Shutdown } from '../shutdown.ts'

const MEGABYTE = 1_000_000

/** `daisi-orc backup`: a copy of a state folder, made while the Orc runs. */
export function backupCommand(): Command {
  return new Command('backup')
    .description('copy the state folder of an Orc, also of one that runs')
    .requiredOption('--out <folder>', 'new folder for the copy')
    .option('--state <folder>', 'state folder of the Orc', '.daisi/orc')
    .action(async ({ out, state }: { readonly out: string; readonly state: string }) => {
      const shutdown = new Shutdown()
      const controller = new AbortController()
      void shutdown.requested.then(() => controller.abort())
      try {
        const backup = await backUp({ stateDir: state, target: out, signal: controller.signal })
        const size = `${backup.files} files, ${(backup.bytes / MEGABYTE).toFixed(1)} MB`
        const pause =
          backup.pausedMs === undefined
            ? 'The Orc did not run.'
            : `The Orc was paused for ${Math.ceil(backup.pausedMs)} ms.`
        print(
          `Backed up to ${backup.dir} (${size}). ${pause} The copy holds every secret of the Orc: keep it safe.`,
        )
      } finally {
        await shutdown.stop()
      }
    })
}
