import { ChatModel, type ChatRun } from './chat-model.ts'
import type { FromEngine, ToEngine } from './wire.ts'

/**
 * The process that holds one model. A fault of native code ends this process and not the agent. It ends with its
 * parent: when the channel closes, there is nobody to work for.
 */
const runs = new Map<number, { readonly run: ChatRun; readonly abort: AbortController }>()
let chat: ChatModel | undefined

function send(message: FromEngine): void {
  process.send?.(message)
}

async function handle(message: ToEngine): Promise<void> {
  switch (message.type) {
    case 'load':
      try {
        chat = await ChatModel.load(message.options)
        send({ type: 'loaded', info: chat.info })
      } catch (error) {
        send({ type: 'load-failed', message: error instanceof Error ? error.message : 'unknown error' })
      }
      return
    case 'run': {
      const { id, job } = message
      if (chat === undefined) return
      const abort = new AbortController()
      const run = chat.run(job, abort.signal, (event) => send({ type: 'event', id, event }))
      runs.set(id, { run, abort })
      await run.done
      runs.delete(id)
      return
    }
    case 'cancel':
      runs.get(message.id)?.abort.abort()
      return
    case 'grant':
      runs.get(message.id)?.run.grant(message.bytes)
      return
    case 'close':
      process.disconnect()
      return
  }
}

process.on('message', (message) => void handle(message as ToEngine))
process.on('disconnect', () => process.exit(0))
// A terminal signals the whole process group; the agent decides when this process ends.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
