import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { MODEL_PATH } from '../../testing/model.ts'
import { type DownloadedModel, downloadModel, type DownloadOrder } from '../download-model.ts'
import { ModelServer } from './model-server.ts'

/** The bundled model. */
export const MODEL = readFileSync(MODEL_PATH)

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A server with the bundled model, and an empty folder to download it into. */
export class StoreSetup implements AsyncDisposable {
  readonly server: ModelServer
  readonly root: string
  /** Milliseconds of each wait between attempts; each is over at once. */
  readonly waitsMs: number[] = []
  #arrivedBytes = 0
  #waiting: { readonly bytes: number; readonly resolve: () => void }[] = []

  private constructor(server: ModelServer, root: string) {
    this.server = server
    this.root = root
  }

  static async start(content = MODEL): Promise<StoreSetup> {
    const root = await mkdtemp(join(tmpdir(), 'daisi-store-'))
    return new StoreSetup(await ModelServer.start(content), root)
  }

  get folder(): string {
    return join(this.root, 'models')
  }

  get stateFolder(): string {
    return join(this.root, 'state')
  }

  get url(): string {
    return `${this.server.origin}/nano.gguf`
  }

  /** Downloads with four connections in pieces of 256 KiB; each failure is tried again four times. */
  download(changes: Partial<DownloadOrder> = {}): Promise<DownloadedModel> {
    return downloadModel({
      reference: { source: 'url', url: this.url },
      folder: this.folder,
      stateFolder: this.stateFolder,
      hub: { endpoint: this.server.origin, token: undefined },
      signal: new AbortController().signal,
      ...changes,
      onProgress: (progress) => {
        if (progress.phase === 'downloading') this.#noteArrived(progress.bytes)
        changes.onProgress?.(progress)
      },
      settings: {
        pieceBytes: 256 * 1024,
        reserveBytes: 0,
        retries: 4,
        progressMs: 0,
        random: () => 0.5,
        wait: async (delayMs) => {
          this.waitsMs.push(delayMs)
          // Others may go on meanwhile, as they would in a real wait.
          await setTimeout(1)
        },
        ...changes.settings,
      },
    })
  }

  /** Resolves when so many bytes of a download are on disk. */
  arrived(bytes: number): Promise<void> {
    if (this.#arrivedBytes >= bytes) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ bytes, resolve }))
  }

  /** Names in the folder of models, or none if there is no folder. */
  files(): Promise<string[]> {
    return readdir(this.folder).catch(() => [])
  }

  #noteArrived(bytes: number): void {
    this.#arrivedBytes = bytes
    for (const waiter of this.#waiting) if (waiter.bytes <= bytes) waiter.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
    await rm(this.root, { recursive: true, force: true })
  }
}
