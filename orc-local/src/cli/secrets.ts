import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Command } from 'commander'
import { ExitCode, Failure } from '../exit-codes.ts'
import { generateSecrets } from '../orc/secrets.ts'
import { print } from '../output.ts'

/** `daisi-orc secrets`: for an Orc on Cloudflare; `serve` makes its own. */
export function secretsCommand(): Command {
  return new Command('secrets')
    .description('print fresh secrets as JSON, for `wrangler deploy --secrets-file`')
    .option('--out <file>', 'write them to this new file instead, readable by you only')
    .action(async ({ out }: { readonly out?: string }) => {
      const json = JSON.stringify(await generateSecrets(), undefined, 2)
      if (out === undefined) return print(json)
      await writeNew(out, json)
      print(`Wrote ${out}. Keep a copy in a safe place: who has it is your Orc.`)
    })
}

/** Secrets in use would be lost if the file were replaced. */
async function writeNew(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  try {
    await writeFile(path, `${text}\n`, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    throw new Failure(
      ExitCode.State,
      `${path} exists or cannot be written. Move it away, or keep using it.`,
      { cause },
    )
  }
}
