import { createConfig, lintFromString } from '@redocly/openapi-core'
import { expect, test } from 'vitest'
import { routes } from '../routes/table.ts'
import { openApiDocument, openApiPath, operations } from './document.ts'

const document = openApiDocument('https://orc.example')
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

test('every route is described, and nothing else is', () => {
  expect(Object.keys(operations).toSorted()).toEqual(
    routes.map(({ method, path }) => `${method} ${path}`).toSorted(),
  )
  expect(described.map(({ method, path }) => `${method.toUpperCase()} ${path}`).toSorted()).toEqual(
    routes.map(({ method, path }) => `${method} ${openApiPath(path)}`).toSorted(),
  )
})

test('the document is valid OpenAPI 3.1 without a single remark', async () => {
  const config = await createConfig({
    extends: ['recommended'],
    // A WebSocket begins with 101 and a login at GitHub with 302; some routes only say that nothing is stored.
    rules: { 'operation-2xx-response': 'off' },
  })
  const source = JSON.stringify(document)
  const remarks = await lintFromString({ source, absoluteRef: 'openapi.json', config })
  expect(remarks.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([])
})

test('each operation asks for the credentials that its route does', () => {
  for (const { method, path, access } of routes) {
    const operation = document.paths[openApiPath(path)]?.[method.toLowerCase()]
    expect([path, operation?.security.length === 0]).toEqual([path, access === 'public'])
  }
})

test('streams and their requests are described where they are served', () => {
  const streamed = described
    .filter(({ operation }) => operation.responses['200']?.content?.['text/event-stream'] !== undefined)
    .map(({ path }) => path)
  expect(streamed).toEqual(
    expect.arrayContaining(['/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/messages']),
  )
})

test('work for Hosts takes every option, as headers and in its body', () => {
  const options = Object.keys(document.components.parameters)
  for (const { operation } of described.filter(({ path }) => path === '/v1/chat/completions')) {
    const names = operation.parameters.map((each) =>
      '$ref' in each ? each.$ref.split('/').at(-1) : each.name,
    )
    expect(names).toEqual(expect.arrayContaining(options))
  }
  expect(document.components.schemas['ChatRequest']).toHaveProperty(
    'properties.daisi.properties.exclude_hosts',
  )
})

test('[E3] errors are described in the shape that their route has', () => {
  const shapeOf = (path: string): unknown =>
    document.paths[path]?.['post']?.responses['401']?.content?.['application/json']?.schema
  expect(shapeOf('/v1/messages/count_tokens')).toEqual({ $ref: '#/components/schemas/MessageError' })
  expect(shapeOf('/v1/responses')).toEqual({ $ref: '#/components/schemas/Error' })
})
