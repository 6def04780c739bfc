import { expect, test } from 'vitest'
import { readGithubSettings } from './settings.ts'

const SET = {
  GITHUB_CLIENT_ID: 'id',
  GITHUB_CLIENT_SECRET: 'client-secret',
  GITHUB_URL: 'https://github.example/',
  GITHUB_API_URL: 'https://github.example/api/v3/',
}

function read(settings: Partial<Record<keyof typeof SET, string>>): ReturnType<typeof readGithubSettings> {
  return readGithubSettings({ ...SET, ...settings } as Env)
}

test('an id with its secret switches GitHub on', () => {
  expect(read({})).toEqual({
    clientId: 'id',
    clientSecret: 'client-secret',
    url: 'https://github.example',
    apiUrl: 'https://github.example/api/v3',
  })
  expect(read({ GITHUB_CLIENT_ID: '' })).toBeUndefined()
})

test.each([
  { GITHUB_CLIENT_SECRET: '' },
  { GITHUB_URL: 'http://github.example' },
  { GITHUB_API_URL: 'http://127.0.0.1.evil.example' },
  { GITHUB_URL: 'github.example' },
  { GITHUB_URL: '' },
  { GITHUB_API_URL: 'https://github.example/?to=' },
])('%j is refused without saying the secret', (settings) => {
  expect(() => read(settings)).toThrow(/^(?!.*client-secret)/)
})
