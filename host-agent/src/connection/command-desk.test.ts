import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ack } from '@daisi/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RemoteModels } from '../models/remote-models.ts'
import { DONE, type Outcome } from '../outcome.ts'
import { OrcRecordFile } from '../state/orc-record.ts'
import { WillingOwner } from '../testing/willing-owner.ts'
import { CommandDesk } from './command-desk.ts'
import { Willingness } from './willingness.ts'

const MODEL = { id: 'm', sha256: 'a'.repeat(64) }

/** Notes what it is asked for. */
class TestKeeper implements RemoteModels {
  readonly calls: unknown[] = []
  outcome: Outcome<undefined> = DONE

  async beginAddFromCatalogue(...asked: unknown[]): Promise<Outcome<undefined>> {
    this.calls.push(asked)
    return this.outcome
  }

  async remove(...asked: unknown[]): Promise<Outcome<undefined>> {
    this.calls.push(asked)
    return this.outcome
  }
}

let folder: string
let record: OrcRecordFile
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daisi-commands-'))
  record = await OrcRecordFile.open(folder, 'https://orc.test')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function setUp(remote: { settings: boolean; models: boolean }) {
  const owner = new WillingOwner({ remote })
  const keeper = new TestKeeper()
  const desk = new CommandDesk({ record, owner, keeper, willingness: new Willingness(false, owner) })
  let sequence = record.value.lastCommand
  const ask = (name: string, given: Record<string, unknown>): Promise<Ack> =>
    desk.handle({
      type: 'command',
      commandId: `cmd_${'0'.repeat(32)}`,
      sequence: ++sequence,
      name,
      arguments: given,
    })
  return { owner, keeper, ask }
}

describe('what the owner allows', () => {
  test('settings change, and what is no setting of an Orc does not', async () => {
    const { owner, ask } = setUp({ settings: true, models: false })
    expect(await ask('settings', { maxTokensPerDay: 5 })).toMatchObject({ outcome: 'done' })
    expect(owner.settings.maxTokensPerDay).toBe(5)
    for (const given of [{ remote: { models: true } }, { blocklist: [] }, { maxConcurrency: 0 }])
      expect(await ask('settings', given)).toMatchObject({ outcome: 'failed' })
    expect(owner.settings.remote.models).toBe(false)
  })

  test('[Q6] models of the catalogue, from the Orc that asks', async () => {
    const { keeper, ask } = setUp({ settings: false, models: true })
    expect(await ask('model-add', MODEL)).toMatchObject({ outcome: 'done' })
    expect(await ask('model-remove', { id: 'm' })).toMatchObject({ outcome: 'done' })
    expect(keeper.calls).toEqual([
      ['https://orc.test', MODEL],
      ['m', { deleteFile: false }],
    ])
    expect(await ask('model-add', { id: 'm' })).toMatchObject({ outcome: 'failed' })
    keeper.outcome = { ok: false, code: 'not_in_catalogue', message: 'look there' }
    expect(await ask('model-add', MODEL)).toMatchObject({ outcome: 'failed', message: 'look there' })
  })

  test('nothing else, but a pause always', async () => {
    const { owner, keeper, ask } = setUp({ settings: false, models: false })
    for (const [name, given] of [
      ['settings', { maxTokensPerDay: 5 }],
      ['model-add', MODEL],
      ['model-remove', { id: 'm' }],
    ] as const)
      expect(await ask(name, given)).toMatchObject({ outcome: 'failed' })
    expect(owner.settings.maxTokensPerDay).toBeNull()
    expect(keeper.calls).toEqual([])
    expect(await ask('pause', {})).toMatchObject({ outcome: 'done' })
    expect(record.value.paused).toBe(true)
  })
})
