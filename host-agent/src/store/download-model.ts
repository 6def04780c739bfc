import { createHash } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicClock, sleep, systemClock } from '../clock.ts'
import { findModel, hashModel, type ModelFile, rememberHash } from '../state/model-file.ts'
import { diskError, requireSpace } from './disk-space.ts'
import { DownloadError, interrupted } from './download-error.ts'
import { DownloadLock } from './download-lock.ts'
import { fetchMissing } from './fetch-missing.ts'
import type { HttpContext } from './http-get.ts'
import type { Hub } from './hub.ts'
import { fileNameOf, type RemoteReference, referenceText } from './model-reference.ts'
import { PartFile } from './part-file.ts'
import { type DownloadProgress, ProgressMeter } from './progress-meter.ts'
import { type ResolvedModel, resolveReference } from './resolve-reference.ts'

/** How downloads behave. The defaults are for the internet. */
export interface DownloadSettings extends Omit<HttpContext, 'signal'> {
  /** Requests at once. */
  readonly connections: number
  /** One request asks for so many bytes at most. */
  readonly pieceBytes: number
  /** So much stays free on the disk. */
  readonly reserveBytes: number
  /** Progress is told so often at most. */
  readonly progressMs: number
  /** What has arrived is noted so often: what a power cut can cost. */
  readonly saveMs: number
  /** Another download of the same file is asked after so often. */
  readonly lockPollMs: number
}

const DEFAULTS: DownloadSettings = {
  connections: 4,
  pieceBytes: 32 * 1024 * 1024,
  reserveBytes: 512 * 1024 * 1024,
  idleMs: 30_000,
  retries: 7,
  progressMs: 200,
  saveMs: 1_000,
  lockPollMs: 250,
  random: Math.random,
  wait: (delayMs, signal) => sleep(systemClock, delayMs, signal),
}

/** What to download, and where to. */
export interface DownloadOrder {
  readonly reference: RemoteReference
  /** Made if it is missing, for its owner only. */
  readonly folder: string
  /** For the hashes of files that are there. */
  readonly stateFolder: string
  readonly hub: Hub
  /** Any other file is refused and deleted. */
  readonly expectedSha256?: string | undefined
  /** A server that has another size is not asked for the rest. */
  readonly expectedSizeBytes?: number | undefined
  readonly onProgress?: (progress: DownloadProgress) => void
  /** Aborting keeps what has arrived. */
  readonly signal: AbortSignal
  readonly settings?: Partial<DownloadSettings>
}

/** A model that lies in the folder. */
export interface DownloadedModel extends ModelFile {
  readonly sha256: string
  /** The reference, with the file that a quantization stands for. */
  readonly reference: RemoteReference
}

/**
 * Downloads a model, or finds it there already. Goes on where an earlier attempt stopped, whatever stopped it; of several at
 * once, in any process, one downloads and the others wait for it. Throws a `DownloadError`.
 *
 * node-llama-cpp's own downloader would also fetch ranges, but compares neither hash nor ETag, so that it joins halves of two
 * versions of a file; it asks for no free space, lets two processes write into one file, and deletes what has arrived when it
 * is cancelled.
 */
export async function downloadModel(order: DownloadOrder): Promise<DownloadedModel> {
  const settings = { ...DEFAULTS, ...order.settings }
  const meter = new ProgressMeter(monotonicClock, settings.progressMs, order.onProgress ?? (() => {}))
  await mkdir(order.folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw diskError(order.folder, error)
  })
  const pinned = await findPinned(order)
  if (pinned !== undefined) return pinned
  const context = { ...settings, signal: order.signal }
  const model = await resolveReference(order.reference, order.hub, context)
  const path = join(order.folder, storedName(model.reference, order.expectedSha256 ?? model.sha256))
  await using _ = await waitForLock(`${path}.lock`, model, meter, context)
  return (await findThere(path, model, order)) ?? (await fetchModel(path, model, order, meter, settings))
}

async function fetchModel(
  path: string,
  model: ResolvedModel,
  order: DownloadOrder,
  meter: ProgressMeter,
  settings: DownloadSettings,
): Promise<DownloadedModel> {
  const { expectedSha256 = model.sha256, folder } = order
  const { sizeBytes, validator } = model
  requireHash(expectedSha256, model.sha256)
  requireSize(order.expectedSizeBytes, sizeBytes)
  const part = await PartFile.open(path, { sizeBytes, validator, sha256: expectedSha256 }, settings.saveMs)
  let sha256: string
  try {
    await requireSpace(folder, sizeBytes - part.coverage.bytes + settings.reserveBytes)
    await part.save()
    meter.begin('downloading', part.coverage.bytes, sizeBytes)
    const onBytes = (): void => meter.update(part.coverage.bytes)
    const plan = { ...settings, hashKnown: expectedSha256 !== undefined, onBytes }
    await fetchMissing(model, part, plan, { ...settings, signal: order.signal })
    meter.begin('verifying', 0, sizeBytes)
    sha256 = await part.hash(order.signal, (bytes) => meter.update(bytes))
    requireHash(expectedSha256, sha256)
    await part.finish()
  } catch (error) {
    await keepOrDiscard(part, error)
    throw error
  }
  const file = await findModel(path)
  await rememberHash(order.stateFolder, file, sha256)
  return { ...file, sha256, reference: model.reference }
}

/** What arrived of the right file is kept; of a wrong one it is worth nothing. */
async function keepOrDiscard(part: PartFile, error: unknown): Promise<void> {
  const code = error instanceof DownloadError ? error.code : undefined
  const worthless = code === 'hash_mismatch' || code === 'server_changed' || part.coverage.bytes === 0
  if (worthless) return part.discard()
  // Where that fails, the note from before still holds.
  await part.saveLast().catch(() => {})
  await part.close().catch(() => {})
}

/** Throws a `DownloadError` unless the hashes are equal, as far as both are known. */
export function requireHash(expected: string | undefined, found: string | undefined): void {
  if (expected === undefined || found === undefined || expected === found) return
  const message = `the file has SHA-256 ${found}, not ${expected}: it is another one, or damaged; download it again, or choose another source`
  throw new DownloadError('hash_mismatch', message)
}

function requireSize(expected: number | undefined, found: number): void {
  if (expected === undefined || expected === found) return
  const message = `the file has ${found} bytes, not ${expected}: it is another one; choose another source`
  throw new DownloadError('hash_mismatch', message)
}

async function waitForLock(
  path: string,
  model: ResolvedModel,
  meter: ProgressMeter,
  context: HttpContext & { readonly lockPollMs: number },
): Promise<DownloadLock> {
  for (let waits = 0; ; waits++) {
    const lock = await DownloadLock.take(path)
    if (lock !== undefined) return lock
    if (waits === 0) meter.begin('waiting', 0, model.sizeBytes)
    await context.wait(context.lockPollMs, context.signal)
    if (context.signal.aborted) throw interrupted()
  }
}

/** The file of an expected hash, which no server needs to be asked for. */
async function findPinned(order: DownloadOrder): Promise<DownloadedModel | undefined> {
  const { expectedSha256, folder, reference } = order
  if (expectedSha256 === undefined) return undefined
  const ending = nameEnding(expectedSha256)
  const names = await readdir(folder).catch((error: unknown) => {
    throw diskError(folder, error)
  })
  for (const name of names) {
    const found = name.endsWith(ending) ? await describe(join(folder, name), order, reference) : undefined
    if (found?.sha256 === expectedSha256) return found
  }
  return undefined
}

/**
 * What lies there under the name, if it is what the server has. Where the server states no hash, an equal size will do: a newer
 * version is had by removing the old one.
 */
async function findThere(
  path: string,
  model: ResolvedModel,
  order: DownloadOrder,
): Promise<DownloadedModel | undefined> {
  const found = await describe(path, order, model.reference)
  const expected = order.expectedSha256 ?? model.sha256 ?? found?.sha256
  return found?.sizeBytes === model.sizeBytes && found.sha256 === expected ? found : undefined
}

/** A damaged or missing file is none. */
async function describe(
  path: string,
  order: DownloadOrder,
  reference: RemoteReference,
): Promise<DownloadedModel | undefined> {
  const file = await findModel(path).catch(() => undefined)
  if (file === undefined) return undefined
  return { ...file, sha256: await hashModel(order.stateFolder, file), reference }
}

/**
 * The file's own name, since people read it, and its hash, since two models may be called the same and a new version must not
 * replace one that is being served. Where the hash is not known, that of the reference.
 */
function storedName(reference: RemoteReference, knownSha256: string | undefined): string {
  const key = knownSha256 ?? createHash('sha256').update(referenceText(reference)).digest('hex')
  const stem = fileNameOf(reference)
    .replace(/\.gguf$/i, '')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^\.+/, '')
    .slice(0, 100)
  return `${stem || 'model'}${nameEnding(key)}`
}

function nameEnding(key: string): string {
  return `-${key.slice(0, 12)}.gguf`
}
