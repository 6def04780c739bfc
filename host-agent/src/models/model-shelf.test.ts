import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { type Engine, ModelLoadError } from '../engine/engine.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { ScriptedEngine } from '../testing/scripted-engine.ts'
import { ModelShelf } from './model-shelf.ts'
import type { ModelSource } from '../engine/model-source.ts'
import { LOAD_RETRY_MS } from './shelved-model.ts'

/** A model whose loading the test ends. */
class TestSource implements ModelSource {
  readonly offer: ModelSource['offer']
  readonly from = 'a test'
  readonly memoryBytes: number
  readonly defaultSampling = {}
  readonly closed: string[] = []
  readonly opened: string[] = []
  progress: (percent: number) => void = () => {}
  #loading: PromiseWithResolvers<Engine> | undefined

  constructor(id: string, memoryBytes: number, aliases: string[] = []) {
    this.offer = { id, aliases, contextLength: 100, kinds: ['chat'], capabilities: [] }
    this.memoryBytes = memoryBytes
  }

  open(onProgress: (percent: number) => void, signal: AbortSignal): Promise<Engine> {
    this.opened.push(this.offer.id)
    this.progress = onProgress
    const loading = Promise.withResolvers<Engine>()
    this.#loading = loading
    signal.addEventListener('abort', () => loading.reject(new Error('given up')))
    return loading.promise
  }

  /** The loading is over. */
  async finish(error?: Error): Promise<ScriptedEngine> {
    const engine = new ScriptedEngine()
    engine.close = async () => void this.closed.push(this.offer.id)
    await settled()
    if (error === undefined) this.#loading?.resolve(engine)
    else this.#loading?.reject(error)
    await settled()
    return engine
  }
}

/** Everything that was due has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function shelfOf(budget: number, ...sources: TestSource[]) {
  const clock = new ManualClock()
  const shelf = new ModelShelf({
    budgetBytes: () => budget,
    residenceMs: 30_000,
    clock,
    logger: pino({ level: 'silent' }),
  })
  for (const source of sources) shelf.add(source)
  const borrow = (id: string) => {
    const model = shelf.find(id)
    if (model === undefined) throw new Error(`no ${id}`)
    return shelf.borrow(model)
  }
  return { clock, shelf, borrow }
}

describe('loading on demand', () => {
  test('[J9] who comes first hears how far it is, and who comes later finds it ready', async () => {
    const a = new TestSource('a', 50)
    const { shelf, borrow, clock } = shelfOf(100, a)
    const changes: unknown[] = []
    shelf.onStateChange(() => changes.push(shelf.states[0]))
    expect(shelf.states).toEqual([{ id: 'a', state: 'unloaded' }])
    expect(borrow('a')).toMatchObject({ ok: false, code: 'model_loading', percent: 0, retryAfterSeconds: 1 })
    await settled()
    clock.advance(6_000)
    a.progress(33)
    expect(borrow('a')).toMatchObject({ code: 'model_loading', percent: 30, retryAfterSeconds: 14 })
    expect(a.opened).toHaveLength(1)
    await a.finish()
    expect(borrow('a')).toMatchObject({ ok: true })
    expect(shelf.states).toEqual([])
    expect(changes).toEqual([
      { id: 'a', state: 'loading', percent: 0 },
      { id: 'a', state: 'loading', percent: 30 },
      undefined,
    ])
  })

  test('what was unused for longest goes, once it may', async () => {
    const [a, b, c] = [new TestSource('a', 40), new TestSource('b', 40), new TestSource('c', 40)]
    const { clock, borrow, shelf } = shelfOf(100, a, b, c)
    for (const source of [a, b]) {
      borrow(source.offer.id)
      await source.finish()
      clock.advance(1_000)
    }
    const used = borrow('a')
    expect(borrow('c')).toMatchObject({ ok: false, code: 'busy' })
    clock.advance(30_000)
    expect(borrow('c')).toMatchObject({ ok: false, code: 'model_loading' })
    await c.finish()
    expect(b.closed).toEqual(['b'])
    // `a` is at work, so it stays however long it was not asked for.
    clock.advance(60_000)
    borrow('b')
    await b.finish()
    expect([a.closed, c.closed]).toEqual([[], ['c']])
    if (used.ok) used.lease.release()
    clock.advance(60_000)
    borrow('c')
    await settled()
    expect(a.closed).toEqual(['a'])
    await shelf.close()
  })

  test('a model that memory can never hold is refused, and nothing is unloaded for it', async () => {
    const [a, big] = [new TestSource('a', 40), new TestSource('big', 101)]
    const { clock, borrow, shelf } = shelfOf(100, a, big)
    borrow('a')
    await a.finish()
    clock.advance(100_000)
    expect(borrow('big')).toMatchObject({ ok: false, code: 'model_not_loaded' })
    await expect(shelf.preload(shelf.find('big')!)).rejects.toMatchObject({ code: 'not_enough_memory' })
    expect(a.closed).toEqual([])
  })

  test('a failure is remembered for a while and then tried again', async () => {
    const a = new TestSource('a', 40)
    const { clock, borrow, shelf } = shelfOf(100, a)
    borrow('a')
    await a.finish(new ModelLoadError('model_damaged', 'it ends early'))
    expect(shelf.states).toEqual([{ id: 'a', state: 'failed' }])
    expect(shelf.find('a')?.failure).toMatchObject({ code: 'model_damaged' })
    expect(shelf.isUseless).toBe(true)
    expect(borrow('a')).toMatchObject({ ok: false, code: 'model_not_loaded' })
    clock.advance(LOAD_RETRY_MS)
    expect(borrow('a')).toMatchObject({ ok: false, code: 'model_loading' })
    await settled()
    expect(a.opened).toHaveLength(2)
  })

  test('an engine that is down is loading, and its lease counts until it is given back, once', async () => {
    const a = new TestSource('a', 40)
    const { borrow, shelf } = shelfOf(100, a)
    borrow('a')
    const engine = await a.finish()
    const first = borrow('a')
    expect(shelf.find('a')?.users).toBe(1)
    engine.setReady(false)
    expect(shelf.states).toEqual([{ id: 'a', state: 'loading' }])
    expect(borrow('a')).toMatchObject({ ok: false, code: 'model_loading' })
    if (first.ok) {
      first.lease.release()
      first.lease.release()
    }
    expect(shelf.find('a')?.users).toBe(0)
  })
})

describe('names', () => {
  test('a model answers to its id and aliases, and nobody takes them', () => {
    const a = new TestSource('a', 1, ['first'])
    const { shelf } = shelfOf(100, a)
    expect(shelf.find('first')).toBe(shelf.find('a'))
    expect(shelf.add(new TestSource('first', 1))).toBe(false)
    expect(shelf.add(new TestSource('b', 1, ['a']))).toBe(false)
    expect(shelf.offers.map(({ id }) => id)).toEqual(['a'])
  })

  test('one that is removed while it loads is given up', async () => {
    const a = new TestSource('a', 1)
    const { shelf, borrow } = shelfOf(100, a)
    let told = 0
    shelf.onOffersChange(() => told++)
    borrow('a')
    expect(await shelf.remove('a')).toBe(true)
    expect(await shelf.remove('a')).toBe(false)
    expect(told).toBe(1)
    expect(shelf.offers).toEqual([])
  })
})
