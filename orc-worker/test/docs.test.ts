import { expect, test } from 'vitest'
import { call } from './support/orc.ts'

test('the description of the Orc is served to everybody, with its own address', async () => {
  const response = await call('GET', '/openapi.json')
  expect(response.status).toBe(200)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  expect(await response.json()).toMatchObject({
    openapi: '3.1.0',
    servers: [{ url: 'https://orc.test' }],
    paths: { '/v1/quote': { post: { operationId: 'createQuote' } } },
  })
})

test('its page runs nothing, loads nothing from elsewhere, and names every path', async () => {
  const response = await call('GET', '/docs')
  expect(response.headers.get('content-type')).toMatch(/^text\/html/)
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/)
  const html = await response.text()
  expect(html.match(/<(?:script|link|img|iframe)|src=|url\(|style="|href="(?![#/])/g)).toBeNull()
  const { paths } = await (await call('GET', '/openapi.json')).json<{ paths: Record<string, unknown> }>()
  const missing = Object.keys(paths).filter((path) => !html.includes(`<code>${path}</code>`))
  expect(missing).toEqual([])
  // Every link within the page leads somewhere.
  const targets = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id)
  expect(targets.filter((id) => !html.includes(`id="${id}"`))).toEqual([])
})
