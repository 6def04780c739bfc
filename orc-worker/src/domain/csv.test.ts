import { expect, test } from 'vitest'
import { csvLine } from './csv.ts'

test.for([
  ['plain cells', ['a', 12, null, 'b c'], 'a,12,,b c\r\n'],
  ['a comma', ['a,b'], '"a,b"\r\n'],
  ['a quotation mark', ['say "hi"'], '"say ""hi"""\r\n'],
  ['a line break', ['one\r\ntwo'], '"one\r\ntwo"\r\n'],
  ['an empty text', ['', ''], ',\r\n'],
  ['a negative number', [-5], '-5\r\n'],
] as const)('a line with %s', ([, cells, line]) => {
  expect(csvLine(cells)).toBe(line)
})

test.for([
  ['=1+1', "'=1+1\r\n"],
  ['+1', "'+1\r\n"],
  ['-1', "'-1\r\n"],
  ['@SUM(A1)', "'@SUM(A1)\r\n"],
  ['\tx', "'\tx\r\n"],
  ['\rx', '"\'\rx"\r\n'],
  ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"\r\n'],
  ['1=1', '1=1\r\n'],
] as const)('the text %j is not a formula in a spreadsheet', ([text, line]) => {
  expect(csvLine([text])).toBe(line)
})
