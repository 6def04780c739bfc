import { enrolRequest } from '@daisi/protocol'
import { InvalidArgumentError, Option } from 'commander'
import { LOG_LEVELS } from '../log.ts'
import { directOptions } from './direct-options.ts'
import { enrollOption, insecureOption, orcOption, pinOption } from './orc-options.ts'

export const nameOption = new Option('--name <name>', "name of this Host in its owner's list")
  .env('DAISI_NAME')
  .argParser(parseName)

/** The options of `daisi-host run`, each also readable from the environment. */
export const runOptions: readonly Option[] = [
  orcOption,
  new Option('--model <path>', 'GGUF file to serve').env('DAISI_MODEL').makeOptionMandatory(),
  enrollOption,
  pinOption,
  insecureOption,
  nameOption,
  new Option('--model-id <id>', 'name of the model for Consumers (default: the file name)').env(
    'DAISI_MODEL_ID',
  ),
  new Option('--slots <count>', 'jobs that run at once')
    .env('DAISI_SLOTS')
    .default(4)
    .argParser(parsePositive),
  new Option('--queue <count>', 'jobs that may wait').env('DAISI_QUEUE').default(16).argParser(parseCount),
  new Option('--threads <count>', 'threads of the engine (default: by model size)')
    .env('DAISI_THREADS')
    .argParser(parsePositive),
  new Option('--context <tokens>', 'context of each slot (default: of the model, at most 4096)')
    .env('DAISI_CONTEXT')
    .argParser(parsePositive),
  new Option('--no-gpu', 'use the CPU only').env('DAISI_NO_GPU'),
  ...directOptions,
  new Option('--drain-timeout <seconds>', 'time for running jobs to end when stopping')
    .env('DAISI_DRAIN_TIMEOUT')
    .default(30)
    .argParser(parseCount),
]

/** Option of every command. */
export const stateOption = new Option(
  '--state <folder>',
  'folder for the identity and what is remembered',
).env('DAISI_STATE')

export const logOptions: readonly Option[] = [
  new Option('--log-level <level>', 'least severe level to log')
    .env('DAISI_LOG_LEVEL')
    .choices(LOG_LEVELS)
    .default('info'),
  new Option('--log-format <format>', 'json or human (default: human on a terminal)')
    .env('DAISI_LOG_FORMAT')
    .choices(['json', 'human']),
]

/** A name that an Orc takes. */
export function parseName(text: string): string {
  if (!enrolRequest.shape.name.safeParse(text).success)
    throw new InvalidArgumentError('give a name of 1 to 64 characters')
  return text
}

/** A whole number from 0. */
export function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('give a whole number')
  return Number(text)
}

/** A whole number from 1. */
export function parsePositive(text: string): number {
  const value = parseCount(text)
  if (value === 0) throw new InvalidArgumentError('give a whole number above 0')
  return value
}
