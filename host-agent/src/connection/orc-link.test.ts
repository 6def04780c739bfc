import { MINIMUM_PROTOCOL_VERSION, PROTOCOL_VERSION } from '@daisi/protocol'
import { describe, expect, test } from 'vitest'
import { LinkSetup } from '../testing/link-setup.ts'

describe('connecting', () => {
  test('[C2][C3][H1] discovers, enrols, proves itself and says hello', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.connection()
    const hello = await connection.next('hello')
    expect(connection.hostId).toBe(setup.identity.hostId)
    expect(hello).toMatchObject({
      protocol: { version: PROTOCOL_VERSION, minimum: MINIMUM_PROTOCOL_VERSION },
      models: [{ id: 'test-model', contextLength: 100, kinds: ['chat'] }],
      slots: { total: 2, free: 2, queue: 2 },
      running: [],
    })
    expect(setup.record.value).toMatchObject({ issuer: setup.orc.issuer, alias: 'quiet-fox', enrolled: true })
    expect(setup.orc.requests.filter((request) => request.includes('enrol'))).toHaveLength(1)
  })

  test('[C3] a refused enrolment stops the agent with code 5', async () => {
    await using setup = await LinkSetup.start({ enrolmentToken: 'wrong' })
    expect(await setup.ended).toMatchObject({ code: 'enrolment_refused', exitCode: 5 })
  })

  test('[C4] a Host that is not enrolled stops with code 5', async () => {
    await using setup = await LinkSetup.start({ enrolmentToken: undefined })
    expect(await setup.ended).toMatchObject({ code: 'not_enrolled', exitCode: 5 })
  })

  test('[C4] a forgotten Host enrols again if it has a token', async () => {
    await using setup = await LinkSetup.start()
    const first = await setup.orc.welcomed()
    expect(setup.record.value.enrolled).toBe(true)
    setup.orc.enrolled.clear()
    first.drop()
    expect(await setup.ended).toMatchObject({ code: 'not_enrolled' })
    await using second = await LinkSetup.start({
      orc: setup.orc,
      record: setup.record,
      identity: setup.identity,
    })
    await second.orc.welcomed()
    expect(second.record.value.enrolled).toBe(true)
  })

  test('an Orc that changed its name is refused', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    setup.orc.issuer = 'https://other.test'
    connection.drop()
    expect(await setup.ended).toMatchObject({ code: 'issuer_changed', exitCode: 5 })
  })

  test('[C7] reconnects after a drop and after a restart of the Orc, without enrolling again', async () => {
    await using setup = await LinkSetup.start()
    const first = await setup.orc.welcomed()
    first.drop()
    const second = await setup.orc.welcomed()
    second.close(1012)
    await setup.orc.welcomed()
    expect(setup.orc.requests.filter((request) => request.includes('enrol'))).toHaveLength(1)
  })

  test('[C6] a superseded agent stops with code 6 and does not come back', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    connection.close(4409)
    expect(await setup.ended).toMatchObject({ code: 'superseded', exitCode: 6 })
    expect(setup.link.status.state).toBe('stopped')
  })

  test.each([
    [4401, 'not_enrolled'],
    [4403, 'revoked'],
    [4426, 'version_too_old'],
  ])('[C4][H7] close code %i is final', async (closeCode, code) => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    connection.close(closeCode)
    expect(await setup.ended).toMatchObject({ code, exitCode: 5 })
  })

  test.each([
    ['a malformed message', '{"type":"run"}', 4400],
    ['text that is not JSON', 'hello', 4400],
    ['a binary message', Buffer.from([1, 2, 3]), 4400],
    ['an oversized message', `{"type":"x","pad":"${'x'.repeat(5 * 1024 * 1024)}"}`, 4413],
  ])('[H6][F7] %s closes the connection, and the agent connects again', async (_, data, code) => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    connection.sendRaw(data)
    expect(await connection.closed).toBe(code)
    await setup.orc.welcomed()
  })

  test('[H6] a message of an unknown type is ignored', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    connection.sendRaw('{"type":"from-the-future"}')
    connection.send(await setup.orc.run(connection.hostId, { kind: 'image' }))
    expect(await connection.next('refused')).toMatchObject({ code: 'unsupported_kind' })
  })

  test('[J1] reserved kinds and sealed payloads are refused by name', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    for (const kind of ['completion', 'embedding', 'image', 'tool'] as const) {
      connection.send(await setup.orc.run(connection.hostId, { kind }))
      expect(await connection.next('refused')).toMatchObject({ code: 'unsupported_kind' })
    }
    connection.send(await setup.orc.run(connection.hostId, { sealed: true }))
    expect(await connection.next('refused')).toMatchObject({ code: 'unsupported_sealed' })
  })

  test('[J3] a payload that is none is refused with what of it is at fault', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.welcomed()
    const messages = [{ role: 'user', content: 'Hi' }]
    const sampling = { maxTokens: 5, stop: [] }
    for (const [payload, field] of [
      [{ messages: [], sampling }, 'messages'],
      [{ messages, sampling: { ...sampling, logitBias: { '1': 'x' } } }, 'logitBias'],
      [{ messages, sampling, tools: 'all' }, 'tools'],
      [{ messages, sampling: { ...sampling, maxTokens: -1 } }, undefined],
    ] as const) {
      connection.send(await setup.orc.run(connection.hostId, { payload }))
      const { code, field: named } = await connection.next('refused')
      expect({ code, field: named }).toEqual({ code: 'invalid_payload', field })
    }
  })

  test('[H2] a message before welcome closes the connection', async () => {
    await using setup = await LinkSetup.start()
    const connection = await setup.orc.connection()
    await connection.next('hello')
    connection.send({ type: 'drain' })
    expect(await connection.closed).toBe(4400)
  })
})
