import { canaryFaults } from './canary.ts'
import { type Cast, newCast } from './cast.ts'
import { BATCH, asCurl, bytesOf, httpInput } from './http-input.ts'
import { PATIENCE_MS, faultsOf } from './http-oracle.ts'
import { RawConnection } from './raw-http.ts'
import type { Tally } from './tally.ts'
import type { World } from './world.ts'

const AREA = 'http'
const CONNECTIONS = 32
/** What is no HTTP may be left unanswered: a client that has sent everything hangs up soon. */
const MALFORMED_PATIENCE_MS = 1_500

/** What part of the inputs to send. */
export interface Span {
  readonly seed: number
  readonly first: number
  readonly count: number
  readonly progress: (text: string) => void
}

/** Sends HTTP requests to the Orc and judges every answer. */
export async function fuzzHttp(
  world: World,
  tally: Tally,
  { seed, first, count, progress }: Span,
): Promise<void> {
  const startedAt = performance.now()
  const end = first + count
  const connections = Array.from({ length: CONNECTIONS }, () => new RawConnection(world.orc.port))
  for (let at = first; at < end;) {
    const batch = Math.floor(at / BATCH)
    const cast = await newCast(world, batch)
    const stop = Math.min(end, (batch + 1) * BATCH)
    let next = at
    const work = async (connection: RawConnection): Promise<void> => {
      while (next < stop && world.dead.length === 0)
        await sendOne(world, tally, connection, { seed, index: next++, cast })
    }
    await Promise.all(connections.map(work))
    for (const what of await canaryFaults(world)) {
      const reproduction = `inputs ${at} to ${stop - 1} of area ${AREA}`
      tally.fail({ area: AREA, index: undefined, what, reproduction })
    }
    if (world.dead.length > 0) break
    at = stop
    if (batch % 20 === 19 || at >= end)
      progress(`${AREA}: ${at - first} of ${count}, ${tally.failures} failures`)
  }
  for (const connection of connections) connection.close()
  tally.took(AREA, performance.now() - startedAt)
}

async function sendOne(
  world: World,
  tally: Tally,
  connection: RawConnection,
  { seed, index, cast }: { readonly seed: number; readonly index: number; readonly cast: Cast },
): Promise<void> {
  const input = httpInput(seed, index, cast, world.url)
  tally.input(AREA)
  const exchange = await connection.exchange(bytesOf(input), {
    isHead: input.method === 'HEAD',
    thenEnd: input.malformed,
    patienceMs: input.malformed ? MALFORMED_PATIENCE_MS : PATIENCE_MS,
  })
  tally.answered(AREA, exchange.kind === 'answered' ? String(exchange.answer.status) : exchange.kind)
  const faults = faultsOf(input, exchange, world.watch)
  for (const what of faults) {
    const got =
      exchange.kind === 'answered' ? exchange.answer.body.toString().slice(0, 300) : exchange.received
    tally.fail({ area: AREA, index, what, reproduction: `${asCurl(input, world.url)}\n    answered: ${got}` })
  }
  if (exchange.kind === 'answered' && exchange.answer.status < 300) {
    world.watch.learn(exchange.answer.body.toString())
    world.watch.learn(exchange.answer.headers.get('set-cookie') ?? '')
  }
}
