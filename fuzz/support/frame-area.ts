import type { AccountCreated, AppCreated, EnrolmentCreated, KeyCreated } from '../../protocol/src/index.ts'
import { HostIdentity } from '../../bench/support/host-identity.ts'
import { manageApi } from '../../orc-local/src/manage-api.ts'
import { canaryFaults } from './canary.ts'
import { DirectConsumer } from './direct-consumer.ts'
import { type FrameScene, type Grant, frameInput } from './frame-input.ts'
import { FrameLoad } from './frame-load.ts'
import type { Span } from './http-area.ts'
import { mutated } from './mutate-json.ts'
import { Random } from './random.ts'
import type { Tally } from './tally.ts'
import { type Taken, WIRE_MODEL, WireHost, hello } from './wire-host.ts'
import type { World } from './world.ts'

const AREA = 'frames'
const HOSTS = 5
const CANARY_EVERY = 2_000
/** Inputs on one connection; then it ends, and with it whatever Jobs it left. */
const INPUTS_OF_A_CONNECTION = 60
/** Closes that the protocol names, and that of an ordinary end. */
const CLOSES: ReadonlySet<Taken> = new Set([1000, 1009, 1012, 4400, 4409, 4413, 4426, 4429])

interface Driver {
  readonly host: WireHost
  left: number
}

/** Hosts under the fuzzer's control send what no Host should, while clients ask for work. */
export async function fuzzFrames(
  world: World,
  tally: Tally,
  { seed, first, count, progress }: Span,
): Promise<void> {
  const startedAt = performance.now()
  const { key, identities } = await people(world)
  const drivers: Driver[] = identities.map((identity) => ({
    host: new WireHost(world.url, identity),
    left: 0,
  }))
  const hosts = drivers.map(({ host }) => host)
  const load = new FrameLoad(
    world,
    key,
    (what) => tally.fail({ area: AREA, index: undefined, what, reproduction: `around input ${next}` }),
    (how) => tally.answered(AREA, how),
  )
  const consumer = new DirectConsumer(world.url, key)
  const grants = new Map<string, Grant[]>(hosts.map(({ identity }) => [identity.hostId, []]))
  const end = first + count
  let next = first
  const work = async (driver: Driver): Promise<void> => {
    while (next < end && world.dead.length === 0) {
      const index = next++
      if (index % CANARY_EVERY === CANARY_EVERY - 1) await checkCanary(world, tally, index)
      const { identity } = driver.host
      const strangers = hosts.filter((host) => host !== driver.host).flatMap((host) => [...host.jobs.keys()])
      const scene = { host: driver.host, strangers, grants: grants.get(identity.hostId) ?? [] }
      await sendOne(tally, driver, scene, new Random(seed, AREA, index), index)
      if (index % 40 === 0)
        void consumer.grant(WIRE_MODEL).then((grant) => grant && grants.get(grant.hostId)?.push(grant))
      if (index % 2_000 === 0) progress(`${AREA}: ${index - first} of ${count}, ${tally.failures} failures`)
    }
  }
  await Promise.all(drivers.map(work))
  for (const { host } of drivers) host.close()
  await load.stop()
  await checkCanary(world, tally, end)
  tally.took(AREA, performance.now() - startedAt)
}

async function sendOne(
  tally: Tally,
  driver: Driver,
  scene: FrameScene,
  random: Random,
  index: number,
): Promise<void> {
  const { host } = driver
  tally.input(AREA)
  const told = (how: Taken, sent: readonly (string | Uint8Array)[]): void => {
    if (how === 'pong') return
    tally.answered(AREA, String(how))
    if (CLOSES.has(how)) return
    const what = how === 'silent' ? 'no answer within 10 s' : `closed with ${how}`
    tally.fail({ area: AREA, index, what, reproduction: sent.slice(0, 5).map(shown).join('\n    ') })
  }
  if (!host.isOpen || driver.left === 0) {
    driver.left = INPUTS_OF_A_CONNECTION
    // Some do not greet, or not as they should.
    const greeting = hello(random.chance(0.7))
    const odd = random.chance(0.06)
    const how = await host.connect(odd ? undefined : greeting)
    told(how, ['connect'])
    if (odd && host.isOpen) {
      const message = random.chance(0.5) ? JSON.stringify(mutated(greeting, random)) : `{"type":"accepted"}`
      told(await host.send([message]), [message])
    }
  }
  driver.left--
  if (!host.isOpen) return
  const messages = await frameInput(random, scene)
  told(await host.send(messages), messages)
}

async function checkCanary(world: World, tally: Tally, index: number): Promise<void> {
  for (const what of await canaryFaults(world))
    tally.fail({ area: AREA, index: undefined, what, reproduction: `before input ${index}` })
}

function shown(message: string | Uint8Array): string {
  return typeof message === 'string'
    ? `text ${message.slice(0, 1_500)}`
    : `hex ${Buffer.from(message.subarray(0, 300)).toString('hex')} (${message.length} bytes)`
}

/** Somebody who asks, and somebody else whose Hosts these are. */
async function people(world: World): Promise<{ key: string; identities: HostIdentity[] }> {
  const root = manageApi(world.url, world.root.token)
  const consumer = await root.post<AccountCreated>('/api/accounts', { name: 'asks' })
  const owner = await root.post<AccountCreated>('/api/accounts', { name: 'owns' })
  const api = manageApi(world.url, consumer.token)
  const app = await api.post<AppCreated>('/api/apps', { name: 'asks' })
  const scopes = ['inference', 'sessions', 'usage']
  const { key } = await api.post<KeyCreated>(`/api/apps/${app.id}/keys`, { name: 'asks', scopes })
  const identities: HostIdentity[] = []
  while (identities.length < HOSTS) {
    const { token } = await manageApi(world.url, owner.token).post<EnrolmentCreated>(
      '/api/host-enrolments',
      {},
    )
    identities.push(await HostIdentity.enrol(world.url, token))
    world.watch.add(token)
  }
  for (const secret of [consumer.token, owner.token, key]) world.watch.add(secret)
  return { key, identities }
}
