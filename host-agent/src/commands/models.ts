import { modelId, sha256Hex } from '@daisi/protocol'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ListedModel } from '../control/control-wire.ts'
import { openModelDesk } from '../control/model-desk.ts'
import { wholeReference } from '../control/model-request.ts'
import { columns } from '../terminal/columns.ts'
import { type CommandOutput, processOutput } from '../terminal/command-output.ts'
import { formatBytes, formatCount } from '../terminal/human-units.ts'
import { newCommand } from './new-command.ts'
import { ProgressLine } from '../terminal/progress-line.ts'
import { modelsFolderOption, stateOption } from './run-options.ts'
import { type StateFlag, stateFolderOf } from './state-folder.ts'
import { jsonOption } from './status.ts'

interface AddFlags extends StateFlag {
  readonly id?: string
  readonly alias?: readonly string[]
  readonly sha256?: string
  readonly modelsFolder?: string
  readonly json?: true
}

/** `daisi-host models`: what this machine serves. */
export function modelsCommand(output: CommandOutput = processOutput): Command {
  const models = newCommand('models', 'list, add and remove models')
  models
    .command('list', { isDefault: true })
    .description('the models that this machine serves')
    .addOption(stateOption)
    .addOption(jsonOption)
    .action(async ({ state, json }: StateFlag & { json?: true }) => {
      const listed = await (await openModelDesk(stateFolderOf(state), undefined)).models()
      output.write(json === true ? `${JSON.stringify(listed)}\n` : listText(listed))
    })
  models
    .command('add <model>')
    .description('serve a model: a GGUF file, https://…, hf:user/repo/file.gguf or hf:user/repo:quantization')
    .addOption(new Option('--id <id>', 'name for Consumers (default: the file name)').argParser(parseModelId))
    .addOption(new Option('--alias <id>', 'further name; again for each one').argParser(parseAliases))
    .addOption(new Option('--sha256 <hash>', 'refuse any other file').argParser(parseHash))
    .addOption(modelsFolderOption)
    .addOption(stateOption)
    .addOption(jsonOption)
    .action((text: string, flags: AddFlags) => add(text, flags, output))
  models
    .command('remove <id>')
    .description('serve a model no more, and delete its file if it was downloaded')
    .option('--keep-file', 'do not delete the file')
    .addOption(modelsFolderOption)
    .addOption(stateOption)
    .action(async (id: string, flags: StateFlag & { keepFile?: true; modelsFolder?: string }) => {
      const desk = await openModelDesk(stateFolderOf(flags.state), flags.modelsFolder)
      await desk.removeModel(id, { deleteFile: flags.keepFile !== true })
      output.write(`Removed ${id}\n`)
    })
  return models
}

async function add(text: string, flags: AddFlags, output: CommandOutput): Promise<void> {
  const { id, alias, sha256 } = flags
  const desk = await openModelDesk(stateFolderOf(flags.state), flags.modelsFolder)
  const names = { ...(id !== undefined && { id }), ...(alias !== undefined && { aliases: [...alias] }) }
  const request = { reference: wholeReference(text), ...names, ...(sha256 !== undefined && { sha256 }) }
  const interrupted = new AbortController()
  const onSignal = (): void => interrupted.abort()
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const line = new ProgressLine(output)
  try {
    const model = await desk.addModel(request, (progress) => line.show(progress), interrupted.signal)
    line.end()
    output.write(flags.json === true ? `${JSON.stringify(model)}\n` : `Added ${model.id}\n`)
  } finally {
    line.end()
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

function listText(listed: readonly ListedModel[]): string {
  if (listed.length === 0) return 'No models; add one with: daisi-host models add MODEL\n'
  const rows = listed.map((model) => [
    [model.id, ...model.aliases].join(', '),
    model.state === 'loading' && model.percent !== undefined
      ? `loading ${model.percent} %`
      : (model.state ?? ''),
    model.sizeBytes === undefined ? '' : formatBytes(model.sizeBytes),
    model.contextLength === undefined ? '' : formatCount(model.contextLength),
    model.sha256?.slice(0, 12) ?? '',
    model.from,
    model.problem ?? '',
  ])
  return columns([['MODEL', 'STATE', 'SIZE', 'CONTEXT', 'SHA-256', 'FROM', ''], ...rows])
}

function parseModelId(text: string): string {
  if (!modelId.safeParse(text).success)
    throw new InvalidArgumentError('give a name of letters, digits and . _ : / - only')
  return text
}

function parseAliases(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, parseModelId(text)]
}

function parseHash(text: string): string {
  const hash = text.toLowerCase().replace(/^sha256:/, '')
  if (!sha256Hex.safeParse(hash).success) throw new InvalidArgumentError('give 64 hex digits')
  return hash
}
