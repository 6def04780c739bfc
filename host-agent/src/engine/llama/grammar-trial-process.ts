// oxlint-disable unicorn/require-post-message-target-origin -- threads of a process have no origins
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { getLlama, LlamaLogLevel } from 'node-llama-cpp'

/**
 * Reads grammars of strangers, so that one which takes llama.cpp forever, or makes it crash, does so here. Its reading cannot
 * be interrupted: a thread of its own does it, and the main thread ends all when there is no parent any more.
 */
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { execArgv: [] })
  worker.on('message', (message) => process.send?.(message))
  worker.on('error', () => process.kill(process.pid, 'SIGKILL'))
  process.on('message', (grammar) => worker.postMessage(grammar))
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
} else {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    logLevel: LlamaLogLevel.disabled,
    maxThreads: 1,
  })
  const read = async (grammar: string): Promise<boolean> => {
    try {
      await llama.createGrammar({ grammar })
      return true
    } catch {
      return false
    }
  }
  parentPort?.on('message', (grammar: string) => void read(grammar).then((ok) => parentPort?.postMessage(ok)))
  parentPort?.postMessage('ready')
}
