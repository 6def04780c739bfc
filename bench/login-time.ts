import { randomBytes } from 'node:crypto'
import { Pool } from 'undici'
import { type BenchOptions, withNetwork } from './support/network.ts'
import { fixed, printNote, printTable, progress } from './support/report.ts'
import { mean, quantile, rankDifference, seededRandom, shuffled } from './support/stats.ts'

const SEED = 20_260_101
const ROUTE = '/api/login/email'
/** Beyond this many standard deviations a difference is called one. */
const NOTICEABLE = 3
/** An address begins five logins an hour; each known one is asked for as often as that. */
const ASKED_FOR = 5

/** How long the Orc takes to answer who asks for a login code, by whether the address is known. */
export async function benchLoginTime(options: BenchOptions): Promise<void> {
  await withNetwork(options, async (network, defer) => {
    const pool = new Pool(network.url, { connections: 1, pipelining: 1 })
    defer(() => pool.destroy())
    const count = options.quick ? 100 : 1_000
    progress(`login-time: ${count / ASKED_FOR} people, ${count} requests of each kind`)
    const fresh = (): string => `${randomBytes(9).toString('hex')}@example.org`
    // Both are asked for as often: what an address was asked for before is looked at, whosever it is.
    const [unknown, known] = [fresh, fresh].map((make) =>
      Array.from({ length: count / ASKED_FOR }, make),
    ) as [string[], string[]]
    for (const email of known) await network.invite(email)
    const asked = (people: readonly string[]): string[] =>
      people.flatMap((email) => Array.from({ length: ASKED_FOR }, () => email))
    const lists = [asked(unknown), asked(known)]
    const kinds = ['an address that nobody knows', 'an invited address']
    const ask = async (email: string): Promise<number> => {
      const sentAt = performance.now()
      const { statusCode, body } = await pool.request({
        path: ROUTE,
        method: 'POST',
        headers: { origin: network.url, 'content-type': 'application/json' },
        body: JSON.stringify({ email }),
      })
      await body.dump()
      const elapsedMs = performance.now() - sentAt
      if (statusCode !== 200) throw new Error(`${ROUTE} answered ${statusCode}`)
      return elapsedMs
    }
    for (let turn = 0; turn < 100; turn++) await ask(fresh())
    const times = kinds.map((): number[] => [])
    const order = kinds.flatMap((_, index) => Array.from({ length: count }, () => index))
    for (const index of shuffled(order, seededRandom(SEED)))
      times[index]?.push(await ask(lists[index]?.pop() ?? ''))
    const base = times[0] ?? []
    const rows = kinds.map((name, index) => {
      const values = times[index] ?? []
      const numbers = [quantile(values, 0.5), quantile(values, 0.99), mean(values)]
      const against = index === 0 ? '' : fixed(rankDifference(values, base), 1)
      return [name, ...numbers.map((value) => fixed(value, 3)), against]
    })
    printTable(
      'login-time: answering who asks for a login code',
      ['address', 'p50 ms', 'p99 ms', 'mean ms', 'against unknown, σ'],
      rows,
    )
    const near = rankDifference(times[1] ?? [], base)
    const told = Math.abs(near) < NOTICEABLE ? 'cannot be told apart' : '**can be told apart**'
    printNote(
      `\`POST ${ROUTE}\`, ${count} requests of each kind in random order (seed ${SEED}), one at a time. By their time, an invited ` +
        `address and an unknown one ${told} (${fixed(near, 1)} σ, Mann–Whitney; beyond ±${NOTICEABLE} counts). The code is sent after the answer.`,
    )
  })
}
