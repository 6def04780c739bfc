import { readFile } from 'node:fs/promises'
import type { Catalogue, CatalogueEntry } from '@daisi/protocol'
import { Command, Option } from 'commander'
import { messageOf } from '../errors.ts'
import { ExitCode, Failure } from '../exit-codes.ts'
import { type ManageApi, manageApi, RequestFailure } from '../manage-api.ts'
import { print } from '../output.ts'
import { checkAddress, type OrcAddress, addressOptions } from './orc-address.ts'

interface OperatorOptions extends OrcAddress {
  readonly token: string
}

/** Where everybody reads the catalogue of an Orc. */
const CATALOGUE_PATH = '/host/v1/catalogue'
const GIGABYTE = 1_000_000_000

/** `daisi-orc catalogue`: the models that an Orc recommends to its Hosts. */
export function catalogueCommand(): Command {
  return new Command('catalogue')
    .description('the models that an Orc recommends to its Hosts')
    .addCommand(listCommand())
    .addCommand(importCommand())
    .addCommand(removeCommand())
}

function listCommand(): Command {
  return forOrc(new Command('list').description('print the catalogue'))
    .option('--json', 'as JSON, such as `import` reads', false)
    .action(async ({ orc, pin, json }: OrcAddress & { readonly json: boolean }) => {
      checkAddress(orc, pin)
      const catalogue = await manageApi(orc, undefined, pin).get<Catalogue>(CATALOGUE_PATH)
      if (json) return print(JSON.stringify(catalogue, undefined, 2))
      if (catalogue.models.length === 0)
        print('The catalogue is empty. Fill it with `daisi-orc catalogue import FILE`.')
      for (const entry of catalogue.models) print(describe(entry))
    })
}

function importCommand(): Command {
  return forOperator(
    new Command('import').description('add the models of a JSON file, or replace those that have their ids'),
  )
    .argument('<file>', 'JSON as `catalogue list --json` prints it')
    .action(async (file: string, { orc, token, pin }: OperatorOptions) => {
      checkAddress(orc, pin)
      const models = await readModels(file)
      const api = manageApi(orc, token, pin)
      for (const [index, model] of models.entries()) await putModel(api, model, index)
      print(`Imported ${models.length} models. Hosts see them within five minutes.`)
    })
}

function removeCommand(): Command {
  return forOperator(
    new Command('remove').description('take a model out; Hosts that have it go on serving it'),
  )
    .argument('<id>', 'id of the model')
    .action(async (id: string, { orc, token, pin }: OperatorOptions) => {
      checkAddress(orc, pin)
      await manageApi(orc, token, pin).delete(pathOf(id))
      print(`Removed ${id}.`)
    })
}

function forOrc(command: Command): Command {
  for (const option of addressOptions()) command.addOption(option)
  return command
}

function forOperator(command: Command): Command {
  return forOrc(command).addOption(
    // In the environment it is not shown to other users of the machine.
    new Option('--token <token>', "an operator's token").env('DAISI_OPERATOR_TOKEN').makeOptionMandatory(),
  )
}

function describe({ id, name, sizeBytes, contextLength, licence, kinds }: CatalogueEntry): string {
  const facts = [
    `${(sizeBytes / GIGABYTE).toFixed(2)} GB`,
    `${contextLength} tokens`,
    licence,
    kinds.join(', '),
  ]
  return `${id}  ${name} (${facts.join('; ')})`
}

/** A model of a file, of which nothing but its id is known: the Orc checks the rest. */
type UncheckedModel = Readonly<Record<string, unknown>> & { readonly id: string }

async function readModels(file: string): Promise<readonly UncheckedModel[]> {
  const value = await readJson(file)
  const models: unknown =
    typeof value === 'object' && value !== null && 'models' in value ? value.models : undefined
  if (!Array.isArray(models) || !models.every(hasId)) {
    const shape = '{"models": [{"id": …}, …]}'
    throw new Failure(ExitCode.Usage, `${file} is no catalogue: it must be ${shape}. Nothing was imported.`)
  }
  return models
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new Failure(ExitCode.Usage, `${file} cannot be read as JSON: ${messageOf(cause)}.`, { cause })
  }
}

function hasId(value: unknown): value is UncheckedModel {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
}

async function putModel(api: ManageApi, { id, ...entry }: UncheckedModel, index: number): Promise<void> {
  try {
    await api.put(pathOf(id), entry)
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error
    const done = `Imported before it: ${index}. Correct the file and import it again: what is there already stays.`
    throw new RequestFailure(error.status, error.code, `${id}: ${error.message} ${done}`)
  }
}

function pathOf(id: string): string {
  return `/api/catalogue/${encodeURIComponent(id)}`
}
