import { enrolRequest } from '@daisi/protocol'
import { InvalidArgumentError, Option } from 'commander'
import { LOG_LEVELS } from '../log.ts'
import { directOptions } from './direct-options.ts'
import { enrollOption, insecureOption, list, orcOption, pinOption } from './orc-options.ts'

export const nameOption = new Option('--name <name>', "name of this Host in its owner's list")
  .env('DAISI_NAME')
  .argParser(parseName)

/** Where downloaded models lie. */
export const modelsFolderOption = new Option(
  '--models-folder <folder>',
  "where downloaded models lie (default: this user's folder for data)",
).env('DAISI_MODELS')

export const serverOption = new Option(
  '--server <server>',
  'serve the models of a server that runs here: ollama, lmstudio, comfyui, vllm=URL, openai=URL …; again for each further one',
)
  .env('DAISI_SERVERS')
  .argParser(list((text) => text))

/** The options of `daisi-host run`, each also readable from the environment. What is given here goes before the configuration. */
export const runOptions: readonly Option[] = [
  orcOption,
  new Option(
    '--model <reference>',
    'serve this GGUF file, https:// address or hf:user/repo:quantization, and no added models; again for each further one',
  )
    .env('DAISI_MODEL')
    .argParser(list((text) => text)),
  enrollOption,
  pinOption,
  insecureOption,
  nameOption,
  new Option(
    '--model-id <id>',
    'name of the model for Consumers (default: the file name); one for each --model, in their order',
  )
    .env('DAISI_MODEL_ID')
    .argParser(list((text) => text)),
  serverOption,
  modelsFolderOption,
  new Option('--slots <count>', 'jobs that run at once (default: 4)')
    .env('DAISI_SLOTS')
    .argParser(parsePositive),
  new Option('--queue <count>', 'jobs that may wait (default: 16)').env('DAISI_QUEUE').argParser(parseCount),
  new Option('--threads <count>', 'threads of each engine (default: by model size)')
    .env('DAISI_THREADS')
    .argParser(parsePositive),
  new Option('--context <tokens>', 'context of each slot (default: as much as model and memory allow)')
    .env('DAISI_CONTEXT')
    .argParser(parsePositive),
  new Option('--no-gpu', 'use the CPU only').env('DAISI_NO_GPU'),
  new Option('--memory <size>', 'memory for models, such as 12GB (default: what is there, less a reserve)')
    .env('DAISI_MEMORY')
    .argParser(parseBytes),
  new Option('--vram <size>', 'memory of the GPU for models, such as 8GB (default: what it has)')
    .env('DAISI_VRAM')
    .argParser(parseBytes),
  new Option('--residence <seconds>', 'a model that was used within this time stays loaded')
    .env('DAISI_RESIDENCE')
    .default(30)
    .argParser(parseCount),
  ...directOptions,
  new Option('--metrics <port>', 'serve /metrics for Prometheus on this port of 127.0.0.1')
    .env('DAISI_METRICS')
    .argParser(parsePort),
  new Option('--drain-timeout <seconds>', 'time for running jobs to end when stopping (default: 30)')
    .env('DAISI_DRAIN_TIMEOUT')
    .argParser(parseCount),
  new Option('--plain', 'log lines instead of the full-screen view').env('DAISI_PLAIN'),
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

function parsePort(text: string): number {
  const value = parsePositive(text)
  if (value > 65_535) throw new InvalidArgumentError('give a port from 1 to 65535')
  return value
}

const UNIT_BYTES = { MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const

/** Bytes, from a number with `MB`, `GB` or `TB` (of 1,024 each) behind it. */
export function parseBytes(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?(MB|GB|TB)$/i.exec(text.trim()) ?? []
  const factor = UNIT_BYTES[unit.toUpperCase() as keyof typeof UNIT_BYTES] as number | undefined
  const bytes = Math.round(Number(number) * (factor ?? 0))
  if (bytes === 0) throw new InvalidArgumentError('give a size like 800MB or 12GB')
  return bytes
}
