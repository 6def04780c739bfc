import { receiptClaims } from '@daisi/protocol'
import { decodeJwt } from 'jose'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { FakeOrc } from '../testing/fake-orc.ts'
import { LinkSetup } from '../testing/link-setup.ts'

describe('a wrong clock', () => {
  test.each([-3_600_000, 3_600_000])(
    '%i ms off: the Orc’s time is used, and its owner is told',
    async (skewMs) => {
      const orc = await FakeOrc.start()
      orc.clockMs = () => Date.now() + skewMs
      const lines: string[] = []
      const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(line) })
      await using setup = await LinkSetup.start({ orc, logger })
      const connection = await orc.welcomed()
      connection.send(await orc.run(connection.hostId))
      ;(await setup.engine.next()).start().delta('a', 1).end()
      const { receipt } = await connection.next('job-end')
      const { startedAt } = receiptClaims.parse(decodeJwt(receipt))
      expect(Math.abs(startedAt - orc.clockMs())).toBeLessThan(30_000)
      expect(lines.join('')).toContain('"event":"clock"')
    },
  )
})
