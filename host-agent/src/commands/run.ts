import { Agent, type AgentOptions } from '../agent.ts'
import { ExitCode } from '../exit-codes.ts'
import { createLogger, type Logger, type LogLevel } from '../log.ts'

export interface RunCommandOptions extends AgentOptions {
  readonly drainTimeoutSeconds: number
  readonly logLevel: LogLevel
  readonly logFormat: 'json' | 'human'
}

/** `daisi-host run`: works until a signal, or until the Orc refuses this Host. */
export async function runCommand(options: RunCommandOptions): Promise<void> {
  const logger = createLogger(options.logLevel, options.logFormat)
  const signals = new StopSignals(logger)
  const agent = await Promise.race([Agent.open(options, logger), signals.first])
  // Stopped while the model was loading: there is nothing to finish.
  if (agent === undefined) return
  const running = agent.run()
  await Promise.race([running, drainAfter(signals.first, agent, options.drainTimeoutSeconds, logger)])
  await running
  logger.info({ event: 'stopped' }, 'stopped')
}

async function drainAfter(
  signal: Promise<unknown>,
  agent: Agent,
  seconds: number,
  logger: Logger,
): Promise<void> {
  await signal
  logger.info({ event: 'draining', seconds }, 'finishing the running jobs; signal again to stop at once')
  await agent.drain(AbortSignal.timeout(seconds * 1000))
}

/** SIGINT and SIGTERM: the first asks to stop, the second stops at once. */
class StopSignals {
  readonly first: Promise<undefined>

  constructor(logger: Logger) {
    this.first = new Promise((resolve) => {
      let asked = false
      const onSignal = (): void => {
        if (asked) {
          logger.warn('stopped at once; running jobs are lost')
          process.exit(ExitCode.Interrupted)
        }
        asked = true
        resolve(undefined)
      }
      process.on('SIGINT', onSignal)
      process.on('SIGTERM', onSignal)
    })
  }
}
