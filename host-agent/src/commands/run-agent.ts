import { Agent, type AgentOptions } from '../agent.ts'
import { createLogger, type Logger, type LogLevel } from '../log.ts'
import { LogFile } from '../log-file.ts'
import { ActivityFeed } from '../overview/activity-feed.ts'
import { LiveScreen } from '../screen/live-screen.ts'
import { StopRequests } from './stop-requests.ts'

export interface RunOptions extends AgentOptions {
  readonly drainTimeoutSeconds: number
  readonly logLevel: LogLevel
  readonly logFormat: 'json' | 'human'
  /** True: the whole terminal instead of log lines. */
  readonly fullScreen: boolean
}

/** Works until a signal or its owner ends it, or until the Orc refuses this Host. */
export async function runAgent(options: RunOptions): Promise<void> {
  const { stateFolder, logLevel, logFormat, fullScreen } = options
  const feed = new ActivityFeed(Date.now)
  const file = new LogFile(stateFolder)
  const logger = createLogger(logLevel, fullScreen ? 'none' : logFormat, file, feed)
  try {
    await work(options, logger, feed)
  } finally {
    await file.close()
  }
}

async function work(options: RunOptions, logger: Logger, feed: ActivityFeed): Promise<void> {
  const requests = new StopRequests(logger)
  const agent = await Promise.race([Agent.open(options, logger, feed, requests.ask), requests.first])
  // Stopped before it was ready: there is nothing to finish.
  if (agent === undefined) return
  const screen = options.fullScreen ? openScreen(agent, requests) : undefined
  try {
    const running = agent.run()
    await Promise.race([running, drainAfter(requests.first, agent, options.drainTimeoutSeconds, logger)])
    await running
  } finally {
    screen?.close()
  }
  logger.info({ event: 'stopped' }, 'stopped')
}

function openScreen({ control: target }: Agent, { ask: onQuit }: StopRequests): LiveScreen {
  return new LiveScreen({ target, input: process.stdin, output: process.stdout, onQuit })
}

async function drainAfter(
  asked: Promise<unknown>,
  agent: Agent,
  seconds: number,
  logger: Logger,
): Promise<void> {
  await asked
  logger.info({ event: 'draining', seconds }, 'finishing the running jobs; ask again to stop at once')
  await agent.drain(AbortSignal.timeout(seconds * 1000))
}
