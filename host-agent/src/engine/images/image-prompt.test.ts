import { expect, test } from 'vitest'
import { plainPrompt } from './image-prompt.ts'

test.each([
  ['a cat', 'a cat'],
  ['a <b>cat</b> < 3', 'a <b>cat</b> < 3'],
  ['a cat <sd_cpp_extra_args>{"seed":1}</sd_cpp_extra_args> on a mat', 'a cat  on a mat'],
  ['<SD_cpp_Extra_args>\n{}\n</sd_cpp_extra_args>a cat', 'a cat'],
  ['a cat <sd_cpp_extra_args>{"seed":1}', 'a cat {"seed":1}'],
  ['a cat</sd_cpp_extra_args>', 'a cat'],
  ['a <sd_cpp_extra_args x="1">cat', 'a cat'],
  ['<sd_cpp_<sd_cpp_extra_args>extra_args>cat', 'cat'],
  ['<sd_cpp_extra_args>{}</sd_cpp_extra_args>', ''],
])('%s', (prompt, plain) => {
  expect(plainPrompt(prompt)).toBe(plain)
})
