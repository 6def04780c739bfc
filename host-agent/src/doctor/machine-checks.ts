import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { satisfies } from 'compare-versions'
import { formatBytes } from '../terminal/human-units.ts'
import { type Check, fail, ok, warn } from './check.ts'

/** As package.json asks for it. */
const NODE_VERSIONS = '>=22.19'
/** State files and logs need this much room. */
const LEAST_STATE_BYTES = 100 * 1000 * 1000
/** A small model needs this much. */
const LEAST_MODELS_BYTES = 1000 * 1000 * 1000
/** Connections, engines and files of a busy Host. */
const LEAST_OPEN_FILES = 1024

export function checkNode(version = process.versions.node): Check {
  if (satisfies(version, NODE_VERSIONS)) return ok('node', `Node ${version}`)
  return fail(
    'node',
    `Node ${version} is too old`,
    `install Node ${NODE_VERSIONS.replace('>=', '')} or later`,
  )
}

export function checkOpenFiles(limit = openFileLimit()): Check {
  if (limit === undefined) return ok('open files', 'no limit is known')
  if (limit >= LEAST_OPEN_FILES) return ok('open files', `at most ${limit} at once`)
  const remedy = `raise the limit, for instance with: ulimit -n ${LEAST_OPEN_FILES}`
  return warn('open files', `only ${limit} at once`, remedy)
}

export async function checkDisk(stateFolder: string, modelsFolder: string): Promise<readonly Check[]> {
  const [state, models] = await Promise.all([freeBytes(stateFolder), freeBytes(modelsFolder)])
  return [
    state < LEAST_STATE_BYTES
      ? fail('disk of state', `${formatBytes(state)} free for ${stateFolder}`, 'make room on that disk')
      : ok('disk of state', `${formatBytes(state)} free`),
    models < LEAST_MODELS_BYTES
      ? warn(
          'disk of models',
          `${formatBytes(models)} free for ${modelsFolder}`,
          'make room, or choose another folder: daisi-host config set modelsFolder FOLDER',
        )
      : ok('disk of models', `${formatBytes(models)} free`),
  ]
}

/** Of the disk that a folder is on, or would be. */
async function freeBytes(folder: string): Promise<number> {
  let there = resolve(folder)
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there)
  const { bavail, bsize } = await statfs(there)
  return bavail * bsize
}

/** Undefined where there is none, or Node does not know it, as on Windows. */
function openFileLimit(): number | undefined {
  // Without it, the report looks up names of whoever is connected.
  Object.assign(process.report, { excludeNetwork: true })
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } }
  }
  const soft = Number(userLimits?.open_files?.soft)
  return Number.isSafeInteger(soft) ? soft : undefined
}
