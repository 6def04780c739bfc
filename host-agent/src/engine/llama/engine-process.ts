import { constants, setPriority } from 'node:os'
import type { EngineEvent } from '../engine.ts'
import { toLoadError } from './load-errors.ts'
import type { ModelRun } from './model-run.ts'
import { ServedModel } from './served-model.ts'
import type { FromEngine, RunEvent, ToEngine } from './wire.ts'

/**
 * The process that holds one model. A fault of native code ends this process and not the agent. It ends with its
 * parent: when the channel closes, there is nobody to work for.
 */
const runs = new Map<number, { readonly run: ModelRun; readonly abort: AbortController }>()
let served: ServedModel | undefined
let waiting: RunEvent[] = []

function send(message: FromEngine): void {
  process.send?.(message)
}

/**
 * A step of the batch yields a token for every sequence in one turn of the event loop: they travel as one message, since
 * each message costs both processes more than the tokens in it.
 */
function sendEvent(id: number, event: EngineEvent): void {
  if (waiting.push({ id, event }) === 1) setImmediate(flushEvents)
}

function flushEvents(): void {
  const events = waiting
  waiting = []
  send({ type: 'events', events })
}

/** Tells the agent each whole percent once. */
function progressReporter(): (percent: number) => void {
  let told = -1
  return (percent) => {
    if (percent <= told) return
    told = percent
    send({ type: 'progress', percent })
  }
}

async function handle(message: ToEngine): Promise<void> {
  switch (message.type) {
    case 'load':
      try {
        served = await ServedModel.load(message.options, progressReporter())
        send({ type: 'loaded', info: served.info })
      } catch (error) {
        const { code, message: text } = toLoadError(error, message.options.modelPath, '')
        send({ type: 'load-failed', code, message: text })
      }
      return
    case 'run': {
      const { id, job } = message
      if (served === undefined) return
      const abort = new AbortController()
      const run = served.run(job, abort.signal, (event) => sendEvent(id, event))
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
// Whatever else its owner does on this machine goes first; an idle one works as fast as ever.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
