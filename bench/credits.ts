import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ChatClient } from './support/chat-client.ts'
import { closedLoop, openLoop } from './support/load.ts'
import { mockRequest } from './support/mock-answer.ts'
import { type BenchOptions, type Network, withNetwork } from './support/network.ts'
import { cpuSeconds } from './support/proc.ts'
import { fixed, printNote, printTable, progress } from './support/report.ts'
import { mean, quantile } from './support/stats.ts'
import { type Replacement, buildVariant } from './support/build-variant.ts'

const CONCURRENCY = 16
/** The two Workers take turns, so that what else the machine does hits both. */
const BLOCKS = 4
const TRICKLE_PER_SECOND = 2
const TRICKLE_SECONDS = 20
/** A lease that is not used goes back after 30 seconds at rest, found by an alarm that comes as often: then all is written. */
const REST_MS = 65_000
/** Long enough for what is finished to be settled. */
const SHORT_REST_MS = 7_000

/**
 * The same Orc with a book that every request writes to twice while its caller waits: what it may cost is reserved before;
 * what it cost is settled after, and the rest returned, in one transaction.
 */
const WITHOUT_LEASES: readonly Replacement[] = [
  {
    file: 'orc-worker/src/domain/money/lease.ts',
    original: 'return missing + cushion(needed, available - missing)',
    variant: 'return missing',
  },
  {
    file: 'orc-worker/src/objects/session/lease-keeper.ts',
    original: 'later(this.#careForLease(record, begun, now))',
    variant: '',
  },
  {
    file: 'orc-worker/src/objects/session/lease-keeper.ts',
    original: 'if (count > 0) await this.#alarm.at(Date.now() + SETTLE_AFTER_MS)',
    variant: `if (count > 0 && record !== undefined) await this.#book.settle(record, Date.now())`,
  },
  {
    file: 'orc-worker/src/objects/session/book.ts',
    original: "const entry = { id: newId('stl'), owner: ownerOf(record), keyId: record.keyId, settlement }",
    variant: `const rest = leaseFree(this.#store.lease())
      const returned = rest > 0 ? [release(crypto.randomUUID(), ownerOf(record), rest)] : []
      for (const transfer of returned) this.#store.beginWrite({ kind: 'release', transfer })
      const entry = { id: newId('stl'), owner: ownerOf(record), keyId: record.keyId, settlement, returned }`,
  },
  {
    file: 'orc-worker/src/db/ledger.ts',
    original:
      'const payments = settlement.payments.map(({ payee, credits }) => payment(id, owner, payee, credits))',
    variant: `const payments = settlement.payments.map(({ payee, credits }) => payment(id, owner, payee, credits))
  payments.push(...entry.returned)`,
  },
]

/** One of the two Workers, on a network of its own. */
interface Side {
  readonly network: Network
  readonly client: ChatClient
}

/** Times of whole requests, and what they cost. */
interface Sample {
  readonly times: readonly number[]
  readonly seconds: number
  readonly cpu: number
}

/** What leases are worth: against the same Worker with a write to D1 before and after every request. */
export async function benchCredits(options: BenchOptions): Promise<void> {
  await withNetwork(options, async (leased, defer) => {
    const workerScript = join(leased.folder, 'without-leases.js')
    await buildVariant('orc-worker/src/index.ts', workerScript, WITHOUT_LEASES)
    await withNetwork({ ...options, workerScript }, async (direct) => {
      const [withLeases, without] = await Promise.all([leased, direct].map(openSide))
      if (withLeases === undefined || without === undefined) return
      defer(() => Promise.all([withLeases.client.close(), without.client.close()]))
      await compareSpeed(withLeases, without, options.quick)
      await compareWrites(withLeases, without, options.quick)
    })
  })
}

async function openSide(network: Network): Promise<Side> {
  await network.startMockHost(CONCURRENCY * 4)
  const client = new ChatClient(network.url, network.secretKey, CONCURRENCY * 2)
  await closedLoop(200, CONCURRENCY, () => client.chat(BODY))
  return { network, client }
}

const BODY = mockRequest({ tokens: 8, tokensPerFrame: 4 })

async function compareSpeed(leased: Side, direct: Side, quick: boolean): Promise<void> {
  const rows: (string | number)[][] = []
  const loads = [
    ['1 at a time', 1, quick ? 100 : 1_600],
    [`${CONCURRENCY} at a time`, CONCURRENCY, quick ? 200 : 4_000],
  ] as const
  for (const [name, concurrency, count] of loads) {
    progress(`credits: ${name}`)
    const samples: { leased: Sample; direct: Sample }[] = []
    for (let block = 0; block < BLOCKS; block++) {
      const second = await measure(direct, count / BLOCKS, concurrency)
      samples.push({ leased: await measure(leased, count / BLOCKS, concurrency), direct: second })
    }
    const a = joined(samples.map((sample) => sample.leased))
    const b = joined(samples.map((sample) => sample.direct))
    rows.push([name, 'leases', ...cells(a)], ['', 'a write before and after', ...cells(b)])
    const p50 = quantile(b.times, 0.5) - quantile(a.times, 0.5)
    const p99 = quantile(b.times, 0.99) - quantile(a.times, 0.99)
    const ratio = a.times.length / a.seconds / (b.times.length / b.seconds)
    rows.push([
      '',
      '**what leases save**',
      fixed(p50),
      fixed(p99),
      fixed(mean(b.times) - mean(a.times)),
      `× ${fixed(ratio)}`,
      fixed(((b.cpu - a.cpu) / a.times.length) * 1000),
      '',
    ])
  }
  const columns = [
    'load',
    'book',
    'p50 ms',
    'p99 ms',
    'mean ms',
    'requests/s',
    'CPU of workerd, ms',
    'requests',
  ]
  printTable('credits: time of a request', columns, rows)
  printNote(
    'One key; time from sending the request to the end of its stream, of 8 tokens. D1 is a SQLite file beside the Orc here and ' +
      'answers in well under a millisecond; at a distance, each write before and after costs its round trip as well.',
  )
}

async function compareWrites(leased: Side, direct: Side, quick: boolean): Promise<void> {
  const count = quick ? 200 : 1_000
  const trickle = TRICKLE_PER_SECOND * (quick ? 2 : TRICKLE_SECONDS)
  const restMs = quick ? SHORT_REST_MS : REST_MS
  const loads = [
    ['1 at a time', count, ({ client }: Side) => closedLoop(count, 1, () => client.chat(BODY))],
    [
      `${CONCURRENCY} at a time`,
      count,
      ({ client }: Side) => closedLoop(count, CONCURRENCY, () => client.chat(BODY)),
    ],
    [
      `${TRICKLE_PER_SECOND} a second`,
      trickle,
      ({ client }: Side) => openLoop(trickle, TRICKLE_PER_SECOND, () => client.chat(BODY)),
    ],
  ] as const
  const rows: (string | number)[][] = []
  for (const [name, requests, load] of loads) {
    progress(`credits: rows written, ${name}; then ${restMs / 1000} s of rest`)
    const [a = Number.NaN, b = Number.NaN] = await Promise.all(
      [leased, direct].map(async (side) => {
        const before = await side.network.rowsWritten()
        await load(side)
        // Settlement and return come later; they belong to these requests.
        await sleep(restMs)
        return (((await side.network.rowsWritten()) - before) / requests) * 1000
      }),
    )
    rows.push([name, requests, fixed(a, 0), fixed(b, 0), fixed(b / a, 1)])
  }
  const columns = ['load', 'requests', 'leases', 'a write before and after', 'ratio']
  printTable('credits: rows written to D1 per 1,000 requests', columns, rows)
  printNote(
    'Counted by SQLite as D1 bills them, rows of indexes included, until every credit that was reserved is settled or returned. ' +
      'One key, one owner of Hosts.',
  )
}

async function measure({ network, client }: Side, count: number, concurrency: number): Promise<Sample> {
  const before = cpuSeconds(network.orcPid)
  const { results, seconds } = await closedLoop(count, concurrency, async () => {
    const sentAt = performance.now()
    await client.chat(BODY)
    return performance.now() - sentAt
  })
  return { times: results, seconds, cpu: cpuSeconds(network.orcPid) - before }
}

function joined(samples: readonly Sample[]): Sample {
  return {
    times: samples.flatMap(({ times }) => times),
    seconds: samples.reduce((sum, { seconds }) => sum + seconds, 0),
    cpu: samples.reduce((sum, { cpu }) => sum + cpu, 0),
  }
}

function cells({ times, seconds, cpu }: Sample): (string | number)[] {
  const numbers = [quantile(times, 0.5), quantile(times, 0.99), mean(times)].map((value) => fixed(value))
  return [...numbers, fixed(times.length / seconds, 0), fixed((cpu / times.length) * 1000), times.length]
}
