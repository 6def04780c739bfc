import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { LinkSetup } from '../testing/link-setup.ts'

describe('presence and commands', () => {
  test('[H4][H5] status follows slots, and a drained Host refuses', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    connection.send(await setup.orc.run(connection.hostId))
    const engineRun = (await setup.engine.next()).start()
    expect(await connection.next('status')).toMatchObject({ freeSlots: 1, accepting: true })
    await connection.next('accepted')
    connection.send({ type: 'drain' })
    expect(await connection.next('status')).toMatchObject({ freeSlots: 1, accepting: false })
    connection.send(await setup.orc.run(connection.hostId))
    expect(await connection.next('refused')).toMatchObject({ code: 'draining' })
    engineRun.end()
    expect(await connection.next('status')).toMatchObject({ freeSlots: 2, accepting: false })
  })

  test('[H11][J9] a model that is down is said to be loading, and refused with a time to come back', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    connection.send(await setup.orc.run(connection.hostId, { kind: 'image' }))
    await connection.next('refused')
    setup.engine.setReady(false)
    expect(await connection.next('status')).toMatchObject({
      accepting: true,
      models: [{ id: 'test-model', state: 'loading' }],
    })
    connection.send(await setup.orc.run(connection.hostId))
    const refused = await connection.next('refused')
    expect(refused).toMatchObject({ code: 'model_loading', percent: 0 })
    expect(refused.retryAfterSeconds).toBeGreaterThan(0)
    setup.engine.setReady(true)
    expect((await connection.next('status')).models).toBeUndefined()
  })

  test('[Q1][Q2][Q3][Q4] commands: in order, once, remembered, and unknown ones acknowledged', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    const command = (sequence: number, name: string) =>
      ({
        type: 'command',
        commandId: `cmd_${String(sequence).padStart(32, '0')}`,
        sequence,
        name,
        arguments: {},
      }) as const
    connection.send(command(0, 'pause'))
    connection.send(command(1, 'paint'))
    expect(await connection.next('ack')).toMatchObject({
      commandId: command(0, '').commandId,
      outcome: 'done',
    })
    expect(await connection.next('ack')).toMatchObject({
      commandId: command(1, '').commandId,
      outcome: 'unsupported',
    })
    connection.send(command(2, 'resume'))
    await connection.next('ack')
    // The first one again: acknowledged, and the Host is not paused by it.
    connection.send(command(0, 'pause'))
    expect(await connection.next('ack')).toMatchObject({ outcome: 'done' })
    connection.send(await setup.orc.run(connection.hostId))
    ;(await setup.engine.next()).start().end()
    await connection.next('job-end')
    const [file = ''] = await readdir(join(setup.stateFolder, 'orcs'))
    expect(JSON.parse(await readFile(join(setup.stateFolder, 'orcs', file), 'utf8'))).toMatchObject({
      lastCommand: 2,
      paused: false,
    })
  })

  test('draining before the end: running jobs end, waiting ones go elsewhere', async () => {
    await using setup = await LinkSetup.start({ slots: 1 })
    const connection = await setup.orc.welcomed()
    const runs = await Promise.all([1, 2].map(() => setup.orc.run(connection.hostId)))
    for (const run of runs) connection.send(run)
    const engineRun = await setup.engine.next()
    engineRun.start().delta('a', 1)
    await connection.next('frame')
    const drained = setup.link.drain(new AbortController().signal).then(() => setup.link.stop())
    expect(await connection.next('refused')).toMatchObject({ jobId: runs[1]?.jobId, code: 'draining' })
    engineRun.delta('b', 2).end()
    expect(await connection.next('job-end')).toMatchObject({ jobId: runs[0]?.jobId, outcome: 'completed' })
    await drained
    expect(await connection.closed).toBe(1000)
    expect(await setup.ended).toBeUndefined()
  })

  test('draining past its deadline cancels', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    connection.send(await setup.orc.run(connection.hostId))
    ;(await setup.engine.next()).start()
    await connection.next('accepted')
    const drained = setup.link.drain(AbortSignal.abort())
    expect(await connection.next('job-end')).toMatchObject({ outcome: 'cancelled' })
    await drained
  })
})
