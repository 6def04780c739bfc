import rules from '../../../protocol/PROTOCOL.md?raw'
import { expect, test } from 'vitest'
import { STATUS } from './errors.ts'

test('[E2] every code is answered with the status that PROTOCOL.md gives it', () => {
  const table = rules.slice(rules.indexOf('- **E2**')).matchAll(/^\| (`[a-z_`, ]+`) \| (\d{3}) \|/gm)
  const stated = [...table].flatMap(([, codes = '', status = '']) =>
    codes.split(', ').map((code) => [code.replaceAll('`', ''), Number(status)] as const),
  )
  expect(Object.fromEntries(stated)).toEqual(STATUS)
})
