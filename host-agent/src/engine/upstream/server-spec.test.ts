import { describe, expect, test } from 'vitest'
import { parseServerSpec } from './server-spec.ts'

const environment = { GPU_KEY: 'secret-1', EMPTY: '', BROKEN: 'two\nlines' }

describe('a server is named by its kind, and by its address where it has no usual one', () => {
  test.each([
    ['ollama', { type: 'text', kind: 'ollama', url: 'http://127.0.0.1:11434' }],
    ['LMStudio', { type: 'text', kind: 'lmstudio', url: 'http://127.0.0.1:1234' }],
    [' vllm = http://10.0.0.5:8000/ ', { type: 'text', kind: 'vllm', url: 'http://10.0.0.5:8000' }],
    ['llama-server=http://[::1]:8080', { type: 'text', kind: 'llama-server', url: 'http://[::1]:8080' }],
    ['openai=https://gpu.lan/v1', { type: 'text', kind: 'openai', url: 'https://gpu.lan' }],
    ['openai=https://gpu.lan/team/v1/', { type: 'text', kind: 'openai', url: 'https://gpu.lan/team' }],
    ['images=http://127.0.0.1:1234', { type: 'image', kind: 'images', url: 'http://127.0.0.1:1234' }],
    ['a1111', { type: 'image', kind: 'a1111', url: 'http://127.0.0.1:7860' }],
    ['forge', { type: 'image', kind: 'forge', url: 'http://127.0.0.1:7860' }],
    ['comfyui', { type: 'image', kind: 'comfyui', url: 'http://127.0.0.1:8188' }],
    [
      'vllm#context=8192&slots=4&models=embedding&only=a,b/c&key-env=GPU_KEY',
      {
        type: 'text',
        kind: 'vllm',
        url: 'http://127.0.0.1:8000',
        contextLength: 8192,
        slots: 4,
        models: 'embedding',
        only: ['a', 'b/c'],
        apiKey: 'secret-1',
      },
    ],
  ])('%s', (text, expected) => {
    expect(parseServerSpec(text, environment)).toEqual({ ok: true, spec: expected })
  })
})

describe('what is no server gets a problem that says what to write', () => {
  test.each([
    '',
    'llama',
    'http://127.0.0.1:8000',
    'openai',
    'openai=',
    'openai=gpu.lan:80',
    'openai=ftp://gpu.lan',
    'openai=file:///etc/passwd',
    'openai=http://me:secret-1@gpu.lan',
    'openai=http://gpu.lan/?key=secret-1',
    'ollama#context=0',
    'ollama#context=many',
    'ollama#slots=2000',
    'ollama#models=images',
    'ollama#only=,',
    'ollama#colour=blue',
    'ollama#key-env=MISSING',
    'ollama#key-env=EMPTY',
    'ollama#key-env=BROKEN',
  ])('%s', (text) => {
    const parsed = parseServerSpec(text, environment)
    expect(parsed.ok).toBe(false)
    expect(JSON.stringify(parsed)).not.toContain('lines')
  })

  test('a password in an address is not repeated', () => {
    const parsed = parseServerSpec('openai=http://me:secret-1@gpu.lan', environment)
    expect(JSON.stringify(parsed)).not.toContain('secret-1')
  })
})
