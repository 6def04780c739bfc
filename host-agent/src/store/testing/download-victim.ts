// Downloads a model in a process of its own, for tests that kill it: `node download-victim.ts URL FOLDER STATE`.
// It notes all that arrives at once, and prints the path at the end.
import { downloadModel } from '../download-model.ts'

const [, , url = '', folder = '', stateFolder = ''] = process.argv
const { path } = await downloadModel({
  reference: { source: 'url', url },
  folder,
  stateFolder,
  hub: { endpoint: 'http://127.0.0.1:1', token: undefined },
  signal: new AbortController().signal,
  settings: { connections: 2, pieceBytes: 256 * 1024, saveMs: 0, reserveBytes: 0 },
})
process.stdout.write(`${path}\n`)
