import { expect, test } from 'vitest'
import { Embed, renderCapnp } from './capnp.ts'

test('quotes, backslashes and control characters cannot end a string', () => {
  expect(renderCapnp('a"b\\c\n\u0000é')).toBe('"a\\"b\\\\c\\x0a\\x00é"')
})

test('structs, lists and embeds are written as workerd reads them', () => {
  expect(renderCapnp({ name: 'x', on: true, list: [1, { file: new Embed('../w.js') }], none: {} })).toBe(
    [
      '(',
      '  name = "x",',
      '  on = true,',
      '  list = [',
      '    1,',
      '    (',
      '      file = embed "../w.js"',
      '    )',
      '  ],',
      '  none = ()',
      ')',
    ].join('\n'),
  )
})
