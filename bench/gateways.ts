import { ChatClient, type Streamed } from './support/chat-client.ts'
import { startHelper } from './support/child.ts'
import { type Gateway, hasPortkey, startPassThrough, startPortkey } from './support/gateways.ts'
import { closedLoop } from './support/load.ts'
import { type MockAnswer, mockRequest } from './support/mock-answer.ts'
import { type BenchOptions, withNetwork } from './support/network.ts'
import { cpuSeconds } from './support/proc.ts'
import { fixed, printNote, printTable, progress, whole } from './support/report.ts'
import { median, quantile } from './support/stats.ts'

const CONCURRENCY = 16
const TOKENS_PER_CHUNK = 4
/** Chunks a second of one paced stream: as many as a Host may send (rule F4). */
const CHUNK_RATE = 25

/** One that is measured. The first is the upstream itself, with nobody in between. */
interface Contender {
  readonly name: string
  readonly client: ChatClient
  /** Undefined for the upstream: it is on every other one's way, too. */
  readonly pid: number | undefined
  readonly rounds: { readonly [load: string]: Round[] }
}

interface Round {
  readonly firstMs: readonly number[]
  readonly chunksPerSecond: number
  readonly cpuMsPerThousand: number
}

interface Load {
  readonly key: string
  readonly name: string
  readonly answer: MockAnswer
  readonly requests: number
  readonly concurrency: number
}

/** The Orc beside a pass-through on the same workerd and a published gateway, all in front of servers that stream the same. */
export async function benchGateways(options: BenchOptions): Promise<void> {
  await withNetwork(options, async (network, defer) => {
    await network.startMockHost(64)
    const upstream = await startHelper('sse-upstream.ts', {})
    defer(upstream.stop)
    const { url } = upstream.ready as { url: string }
    const contenders: Contender[] = []
    const add = (name: string, client: ChatClient, pid?: number): void => {
      defer(() => client.close())
      contenders.push({ name, client, pid, rounds: { first: [], paced: [], flood: [] } })
    }
    const addGateway = async (name: string, starting: Promise<Gateway>): Promise<void> => {
      const gateway = await starting
      defer(gateway.stop)
      add(name, new ChatClient(gateway.url, 'none', CONCURRENCY, gateway.headers), gateway.pid)
    }
    add('nobody: the upstream itself', new ChatClient(url, 'none', CONCURRENCY))
    await addGateway('hono pass-through, workerd', startPassThrough(url, network.folder))
    if (hasPortkey()) await addGateway('@portkey-ai/gateway 1.15.2, Node', startPortkey(url))
    add('Orc and Host, workerd', new ChatClient(network.url, network.secretKey, CONCURRENCY), network.orcPid)

    const loads = loadsOf(options.quick)
    const rounds = options.quick ? 1 : 5
    for (const load of loads)
      for (const contender of contenders) await run(contender, { ...load, requests: CONCURRENCY })
    for (let round = 0; round < rounds; round++)
      for (const load of loads)
        for (const contender of contenders) {
          progress(`gateways: round ${round + 1}, ${load.name}, ${contender.name}`)
          contender.rounds[load.key]?.push(await run(contender, load))
        }
    for (const load of loads) report(load, contenders)
    printNote(
      `Medians of ${rounds} rounds, in turns. Chunks of ${TOKENS_PER_CHUNK} words. Added: against the upstream in the same rounds. CPU: of the ` +
        'gateway’s process alone, all that a request causes included; of the Orc also the ledger, the hold, the Session token and the receipt of each request. The upstream of the Orc is the mock Host. ' +
        'Client, upstream and gateway share the machine.',
    )
    if (!hasPortkey()) printNote('`@portkey-ai/gateway` is not installed: run `npm ci` in `bench/gateways`.')
  })
}

function loadsOf(quick: boolean): readonly Load[] {
  const chunks = (count: number): MockAnswer => ({
    tokens: count * TOKENS_PER_CHUNK,
    tokensPerFrame: TOKENS_PER_CHUNK,
  })
  const paced = { ...chunks(50), tokensPerSecond: CHUNK_RATE * TOKENS_PER_CHUNK }
  const streams = CONCURRENCY
  return [
    {
      key: 'first',
      name: 'one at a time, one chunk',
      answer: chunks(1),
      requests: quick ? 50 : 200,
      concurrency: 1,
    },
    {
      key: 'paced',
      name: `${streams} streams, 50 chunks each at ${CHUNK_RATE}/s`,
      answer: paced,
      requests: streams,
      concurrency: streams,
    },
    {
      key: 'flood',
      name: `${streams} streams, 1,000 chunks each, as fast as they come`,
      answer: chunks(1_000),
      requests: streams,
      concurrency: streams,
    },
  ]
}

async function run({ client, pid }: Contender, load: Load): Promise<Round> {
  const body = mockRequest(load.answer)
  const before = pid === undefined ? 0 : cpuSeconds(pid)
  const { results, seconds } = await closedLoop(load.requests, load.concurrency, () => client.chat(body))
  const cpu = pid === undefined ? Number.NaN : cpuSeconds(pid) - before
  const chunks = results.reduce((sum, { chunks: count }) => sum + count, 0)
  return {
    firstMs: results.map(({ firstAt, sentAt }: Streamed) => firstAt - sentAt),
    chunksPerSecond: chunks / seconds,
    cpuMsPerThousand: (cpu * 1_000_000) / chunks,
  }
}

function report({ key, name }: Load, contenders: readonly Contender[]): void {
  const of = ({ rounds }: Contender): readonly Round[] => rounds[key] ?? []
  const first = (rounds: readonly Round[], share: number): number =>
    median(rounds.map(({ firstMs }) => quantile(firstMs, share)))
  const [upstream] = contenders
  const base = upstream === undefined ? [] : of(upstream)
  const rows = contenders.map((contender, index) => {
    const rounds = of(contender)
    const added = (share: number): string =>
      index === 0 ? '' : fixed(first(rounds, share) - first(base, share))
    return [
      contender.name,
      fixed(first(rounds, 0.5)),
      fixed(first(rounds, 0.99)),
      added(0.5),
      added(0.99),
      whole(median(rounds.map(({ chunksPerSecond }) => chunksPerSecond))),
      fixed(median(rounds.map(({ cpuMsPerThousand }) => cpuMsPerThousand)), 1),
    ]
  })
  printTable(
    `gateways: ${name}`,
    [
      'in between',
      'first chunk p50 ms',
      'p99 ms',
      'added p50 ms',
      'added p99 ms',
      'chunks/s',
      'CPU ms per 1,000 chunks',
    ],
    rows,
  )
}
