import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { type Clock, monotonicClock } from '../../../clock.ts'
import type { ChatJob, Engine, EngineEvent, EngineJob, EngineRun } from '../../engine.ts'
import { type ServerSpec, parseServerSpec } from '../server-spec.ts'
import { TextServer } from '../text-server.ts'
import { TestServer, type TestRoute } from './test-server.ts'

export const silentLogger = pino({ level: 'silent' })

/** A real server that ends with the test. */
export async function startServer(routes: Record<string, TestRoute>, port = 0): Promise<TestServer> {
  const server = await TestServer.start(routes, port)
  onTestFinished(() => server.close().catch(() => {}))
  return server
}

export function spec(text: string, environment: Record<string, string> = {}): ServerSpec {
  const parsed = parseServerSpec(text, environment)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.spec
}

/** The engine of a text server's first model. */
export async function openText(
  server: TestServer,
  kind = 'openai',
  {
    clock = monotonicClock,
    gapTimeoutMs = 10_000,
    options = '',
  }: { clock?: Clock; gapTimeoutMs?: number; options?: string } = {},
): Promise<Engine> {
  const parsed = spec(`${kind}=${server.url}${options}`)
  if (parsed.type !== 'text') throw new Error('no text server')
  const text = new TextServer(parsed, silentLogger, clock, gapTimeoutMs)
  const [source] = await text.discover(new AbortController().signal)
  if (source === undefined) throw new Error('the server has no models')
  const engine = await source.open(() => {}, new AbortController().signal)
  onTestFinished(() => engine.close())
  return engine
}

/** A chat about `content`. */
export function chatJob(content: string, differences: Partial<ChatJob> = {}): ChatJob {
  return {
    kind: 'chat',
    messages: [{ role: 'user', content }],
    sampling: { maxTokens: 100, stop: [] },
    continuation: [],
    windowBytes: 1024 * 1024,
    ...differences,
  }
}

/** Everything that one job makes of a server. */
export async function events(engine: Engine, job: EngineJob, signal?: AbortSignal): Promise<EngineEvent[]> {
  return all(engine.run(job, signal ?? new AbortController().signal))
}

export async function all(run: EngineRun): Promise<EngineEvent[]> {
  const list: EngineEvent[] = []
  for await (const event of run) list.push(event)
  return list
}

/** Text of all deltas. */
export function textOf(list: readonly EngineEvent[]): string {
  return list.map((event) => (event.type === 'delta' ? event.text : '')).join('')
}
