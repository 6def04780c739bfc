import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { fileNameOf, parseModelReference, parseRemoteReference, referenceText } from './model-reference.ts'

test.each([
  ['https://example.test/a/m.gguf', { source: 'url', url: 'https://example.test/a/m.gguf' }],
  ['  http://10.0.0.1/m?x=1#y ', { source: 'url', url: 'http://10.0.0.1/m?x=1' }],
  ['hf:u/r/m.gguf', { source: 'hub-file', repository: 'u/r', file: 'm.gguf', revision: 'main' }],
  ['hf:u/r/a/m.gguf#pr/1', { source: 'hub-file', repository: 'u/r', file: 'a/m.gguf', revision: 'pr/1' }],
  [
    'hf:u/r:Q4_K_M',
    { source: 'hub-quantization', repository: 'u/r', quantization: 'Q4_K_M', revision: 'main' },
  ],
  [
    'hf:u/r:Q8_0#dev',
    { source: 'hub-quantization', repository: 'u/r', quantization: 'Q8_0', revision: 'dev' },
  ],
  ['hf:u/r', { source: 'hub-quantization', repository: 'u/r', quantization: 'latest', revision: 'main' }],
  [
    'hf.co/u/r:Q2_K',
    { source: 'hub-quantization', repository: 'u/r', quantization: 'Q2_K', revision: 'main' },
  ],
  [
    'https://huggingface.co/u/r/',
    { source: 'hub-quantization', repository: 'u/r', quantization: 'latest', revision: 'main' },
  ],
  [
    'https://huggingface.co/u/r/blob/main/a%20b/m.gguf',
    { source: 'hub-file', repository: 'u/r', file: 'a b/m.gguf', revision: 'main' },
  ],
  [
    'https://huggingface.co/u/r/resolve/v1/m.gguf?download=true',
    { source: 'hub-file', repository: 'u/r', file: 'm.gguf', revision: 'v1' },
  ],
  ['models/m.gguf', { source: 'file', path: resolve('models/m.gguf') }],
  ['file:///srv/m%201.gguf', { source: 'file', path: '/srv/m 1.gguf' }],
])('%s is understood', (text, reference) => {
  expect(parseModelReference(text)).toEqual({ ok: true, reference })
})

test.each([
  '',
  ' ',
  'a\u0000b',
  'x'.repeat(5_000),
  'ftp://example.test/m.gguf',
  'https://',
  'https://user:password@example.test/m.gguf',
  'hf:',
  'hf:u',
  'hf:u/r/readme.md',
  'hf:u/r/../m.gguf',
  'hf:u/r//m.gguf',
  'hf:u/r:Q4/m.gguf',
  'hf:u/r:a:b',
  'hf:u/r/m.gguf#a#b',
  'hf:u/r/m.gguf#../x',
  'hf:u/r:',
  'https://huggingface.co/u/r/discussions',
  'https://huggingface.co/u/r/blob/main/%E0%A4%A',
  // One file of several.
  'hf:u/r/m-00001-of-00003.gguf',
  '/srv/m-00002-of-00003.gguf',
  'https://example.test/m-00001-of-00002.gguf?x',
])('%j is refused', (text) => {
  expect(parseModelReference(text)).toMatchObject({ ok: false, code: 'bad_reference' })
})

test.each([
  'https://example.test/m.gguf',
  'hf:u/r/a/m.gguf#dev',
  'hf:u/r/m.gguf',
  'hf:u/r:Q4_K_M',
  'hf:u/r:Q4_K_M#dev',
  '/srv/m.gguf',
])('%s is written as it is read', (text) => {
  const parsed = parseModelReference(text)
  expect(parsed.ok && referenceText(parsed.reference)).toBe(text)
})

test('a path is nothing that can be fetched', () => {
  expect(parseRemoteReference('/srv/m.gguf')).toMatchObject({ ok: false, code: 'bad_reference' })
  expect(parseRemoteReference('hf:u/r')).toMatchObject({ ok: true })
})

test('a file is called as where it comes from', () => {
  const nameOf = (text: string): string | undefined => {
    const parsed = parseRemoteReference(text)
    return parsed.ok ? fileNameOf(parsed.reference) : undefined
  }
  expect(nameOf('https://example.test/a/m%20x.gguf?b=/c')).toBe('m x.gguf')
  expect(nameOf('hf:u/r/a/m.gguf')).toBe('m.gguf')
})
