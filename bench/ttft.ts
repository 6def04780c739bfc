import { ChatClient, type Streamed } from './support/chat-client.ts'
import { startHelper } from './support/child.ts'
import { closedLoop, openLoop } from './support/load.ts'
import { mockRequest } from './support/mock-answer.ts'
import { type BenchOptions, type Network, withNetwork } from './support/network.ts'
import { cpuSeconds } from './support/proc.ts'
import { fixed, printNote, printTable, progress, verdict } from './support/report.ts'
import { mean, quantile } from './support/stats.ts'

const TARGET_P50_MS = 3
const TARGET_P99_MS = 15
const CONCURRENCY = 16
/** The open loop offers this share of what the closed loop reached: far from saturation. */
const OPEN_SHARE = 0.25
/** Orc and baseline take turns, so that what else the machine does hits both. */
const BLOCKS = 4

interface Sample {
  readonly times: number[]
  readonly seconds: number
  readonly latenessMs: readonly number[]
}
type Load = (client: ChatClient, count: number) => Promise<Sample>

/** Time to first token that the Orc adds: a mock Host that answers at once, against a plain Node server. */
export async function benchTtft(options: BenchOptions): Promise<void> {
  await withNetwork(options, async (network, defer) => {
    const host = await network.startMockHost(64)
    const baseline = await startHelper('sse-baseline.ts', {})
    defer(baseline.stop)
    const { url } = baseline.ready as { url: string }
    const orcClient = new ChatClient(network.url, network.secretKey, CONCURRENCY * 4)
    const nodeClient = new ChatClient(url, 'none', CONCURRENCY * 4)
    defer(() => Promise.all([orcClient.close(), nodeClient.close()]))
    const count = options.quick ? 300 : 2_000
    for (const client of [orcClient, nodeClient]) await closed(16)(client, options.quick ? 100 : 400)

    const rows: (string | number)[][] = []
    const verdicts: string[] = []
    const compare = async (name: string, load: Load): Promise<Sample> => {
      progress(`ttft: ${name}`)
      const { orc, node } = await takeTurns(load, orcClient, nodeClient, count)
      rows.push([name, 'Orc', ...cells(orc)], ['', 'Node alone', ...cells(node)])
      const added = (share: number): number => quantile(orc.times, share) - quantile(node.times, share)
      const addedMean = mean(orc.times) - mean(node.times)
      rows.push(['', '**added**', fixed(added(0.5)), fixed(added(0.99)), fixed(addedMean), '', ''])
      const p50 = `p50 ≤ ${TARGET_P50_MS} ms ${verdict(added(0.5) <= TARGET_P50_MS)}`
      verdicts.push(`${name}: ${p50}, p99 ≤ ${TARGET_P99_MS} ms ${verdict(added(0.99) <= TARGET_P99_MS)}`)
      return orc
    }
    await compare('1 at a time', closed(1))
    const saturated = await compare(`${CONCURRENCY} at a time, closed loop`, closed(CONCURRENCY))
    const rate = Math.max(
      10,
      Math.floor(((saturated.times.length / saturated.seconds) * OPEN_SHARE) / 10) * 10,
    )
    const spread = await compare(`open loop, ${rate} requests/s`, open(rate))

    const columns = ['load', 'server', 'p50 ms', 'p99 ms', 'mean ms', 'requests/s', 'requests']
    printTable('ttft: time to first token', columns, rows)
    printNote(`Targets for the added time. ${verdicts.join('; ')}.`)
    const late = `p50 ${fixed(quantile(spread.latenessMs, 0.5))} ms, p99 ${fixed(quantile(spread.latenessMs, 0.99))} ms`
    printNote(
      `A closed loop at ${CONCURRENCY} keeps the Orc's one thread busy all the time: its times are queueing and show ` +
        `throughput; the open loop shows what a caller waits. Its requests left the client late by ${late}.`,
    )
    await breakDown(network, host.pid, orcClient, options.quick ? 200 : 1_000)
  })
}

/** Where the time goes: routes that go less far than a chat does, with what each request costs workerd. */
async function breakDown(
  network: Network,
  hostPid: number,
  client: ChatClient,
  count: number,
): Promise<void> {
  const rows: (string | number)[][] = []
  const body = mockRequest({ tokens: 1, tokensPerFrame: 1 })
  const measure = async (name: string, one: () => Promise<number>): Promise<void> => {
    progress(`ttft: ${name}`)
    await closedLoop(50, 1, one)
    const before = [network.orcPid, hostPid].map(cpuSeconds)
    const { results } = await closedLoop(count, 1, one)
    const cpu = [network.orcPid, hostPid].map((pid, index) => cpuSeconds(pid) - (before[index] ?? 0))
    const perRequest = cpu.map((seconds) => fixed((seconds / count) * 1000))
    rows.push([
      name,
      fixed(quantile(results, 0.5)),
      fixed(quantile(results, 0.99)),
      fixed(mean(results)),
      ...perRequest,
    ])
  }
  await measure('`GET /health`: Worker', () => client.time('/health'))
  await measure('`GET /v1/models`: Worker, session, directory', () => client.time('/v1/models'))
  const first = async (): Promise<number> => timeToFirst(await client.chat(body))
  await measure('chat, to the first token: also a hold, a Session token, the Host object, the Host', first)
  const whole = async (): Promise<number> => {
    const sentAt = performance.now()
    await client.chat(body)
    return performance.now() - sentAt
  }
  await measure('chat, to the end: also the receipt', whole)
  const columns = [
    'one at a time',
    'p50 ms',
    'p99 ms',
    'mean ms',
    'CPU of workerd, ms',
    'CPU of the mock Host, ms',
  ]
  printTable('ttft: where it goes', columns, rows)
  printNote('CPU counts everything a request causes, its settlement after the answer included.')
}

async function takeTurns(
  load: Load,
  orcClient: ChatClient,
  nodeClient: ChatClient,
  count: number,
): Promise<{ orc: Sample; node: Sample }> {
  const blocks: { orc: Sample; node: Sample }[] = []
  for (let block = 0; block < BLOCKS; block++) {
    const node = await load(nodeClient, count / BLOCKS)
    blocks.push({ node, orc: await load(orcClient, count / BLOCKS) })
  }
  return { orc: joined(blocks.map(({ orc }) => orc)), node: joined(blocks.map(({ node }) => node)) }
}

function joined(samples: readonly Sample[]): Sample {
  return {
    times: samples.flatMap(({ times }) => times),
    seconds: samples.reduce((sum, { seconds }) => sum + seconds, 0),
    latenessMs: samples.flatMap(({ latenessMs }) => latenessMs),
  }
}

function closed(concurrency: number): Load {
  return async (client, count) => {
    const body = mockRequest({ tokens: 1, tokensPerFrame: 1 })
    const { results, seconds } = await closedLoop(count, concurrency, () => client.chat(body))
    return { times: results.map(timeToFirst), seconds, latenessMs: [] }
  }
}

function open(perSecond: number): Load {
  return async (client, count) => {
    const body = mockRequest({ tokens: 1, tokensPerFrame: 1 })
    const { results, seconds, latenessMs } = await openLoop(count, perSecond, () => client.chat(body))
    return { times: results.map(timeToFirst), seconds, latenessMs }
  }
}

function cells({ times, seconds }: Sample): (string | number)[] {
  const numbers = [quantile(times, 0.5), quantile(times, 0.99), mean(times)].map((value) => fixed(value))
  return [...numbers, fixed(times.length / seconds, 0), times.length]
}

function timeToFirst({ sentAt, firstAt }: Streamed): number {
  return firstAt - sentAt
}
