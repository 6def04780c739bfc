import { randomBytes } from 'node:crypto'
import { ChatClient } from './support/chat-client.ts'
import { type BenchOptions, withNetwork } from './support/network.ts'
import { fixed, printNote, printTable, progress } from './support/report.ts'
import { mean, quantile, rankDifference, seededRandom, shuffled } from './support/stats.ts'

const SEED = 20_260_101
/** A cheap route that asks for a key. */
const ROUTE = '/v1/models'
/** Characters of a real key that the wrong one begins with. */
const SHARED_CHARACTERS = 40
/** Beyond this many standard deviations a difference is called one. */
const NOTICEABLE = 3

/** How long the Orc takes to refuse a key, by what is wrong with it. */
export async function benchAuthTime(options: BenchOptions): Promise<void> {
  await withNetwork(options, async (network, defer) => {
    const revoked = await network.createKey()
    const client = new ChatClient(network.url, network.secretKey, 1)
    defer(() => client.close())
    await client.time(ROUTE, 200, revoked.key)
    await network.revokeKey(revoked.id)

    const random = (length: number): string => randomBytes(64).toString('base64url').slice(0, length)
    const valid = network.secretKey
    const kinds = [
      { name: 'made-up key', status: 401, key: () => `daisi_sk_${random(valid.length - 9)}` },
      {
        name: `wrong checksum, first ${SHARED_CHARACTERS} characters of a real key`,
        status: 401,
        key: () => valid.slice(0, SHARED_CHARACTERS) + random(valid.length - SHARED_CHARACTERS),
      },
      { name: 'made-up browser token', status: 401, key: () => `daisi_bt_${random(valid.length - 9)}` },
      { name: 'revoked key', status: 401, key: () => revoked.key },
      { name: 'valid key', status: 200, key: () => valid },
    ]
    const times = kinds.map((): number[] => [])
    const one = async (index: number): Promise<void> => {
      const kind = kinds[index]!
      times[index]?.push(await client.time(ROUTE, kind.status, kind.key()))
    }
    for (let turn = 0; turn < 200; turn++) await one(turn % kinds.length)
    for (const list of times) list.length = 0

    const count = options.quick ? 250 : 2_000
    progress(`auth-time: ${count} requests of each kind`)
    const order = kinds.flatMap((_, index) => Array.from({ length: count }, () => index))
    for (const index of shuffled(order, seededRandom(SEED))) await one(index)

    const base = times[0] ?? []
    const rows = kinds.map(({ name, status }, index) => {
      const values = times[index] ?? []
      const numbers = [quantile(values, 0.5), quantile(values, 0.99), mean(values)].map((value) =>
        fixed(value, 3),
      )
      return [name, status, ...numbers, index === 0 ? '' : fixed(rankDifference(values, base), 1)]
    })
    printTable(
      'auth-time: answering a key',
      ['key', 'status', 'p50 ms', 'p99 ms', 'mean ms', 'against made-up, σ'],
      rows,
    )
    const near = rankDifference(times[1] ?? [], base)
    const told = Math.abs(near) < NOTICEABLE ? 'cannot be told apart' : '**can be told apart**'
    printNote(
      `\`GET ${ROUTE}\`, ${count} requests of each kind in random order (seed ${SEED}), one at a time. By their time, a ` +
        `made-up key and one that shares its beginning with a real key ${told} (${fixed(near, 1)} σ, Mann–Whitney; ` +
        `beyond ±${NOTICEABLE} counts). Only a key with a right checksum, revoked or not, reaches its session object.`,
    )
  })
}
