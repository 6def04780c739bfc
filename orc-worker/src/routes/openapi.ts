import type { AppContext } from '../http/context.ts'
import type { OpenApiDocument } from '../openapi/open-api.ts'

/** `GET /openapi.json`: every route of this Orc, as OpenAPI 3.1. Any page may read it. */
export async function getOpenApi(c: AppContext): Promise<Response> {
  return c.json(await describe(c), 200, {
    'cache-control': 'public, max-age=300',
    'access-control-allow-origin': '*',
  })
}

/** `GET /docs`: the same for people. */
export async function getDocs(c: AppContext): Promise<Response> {
  const { docsPage } = await import('../pages/docs-page.ts')
  return docsPage(await describe(c), c.env.ORC_NAME)
}

let latest: OpenApiDocument | undefined

// Loaded when somebody asks: nobody else needs it, and it takes a while to build. It differs in the address only.
async function describe(c: AppContext): Promise<OpenApiDocument> {
  const { origin } = new URL(c.req.url)
  if (latest?.servers[0]?.url === origin) return latest
  const { openApiDocument } = await import('../openapi/document.ts')
  latest = openApiDocument(origin)
  return latest
}
