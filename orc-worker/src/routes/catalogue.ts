import { type Catalogue, type CatalogueEntry, catalogueRequest, modelId } from '@daisi/protocol'
import {
  findCatalogueModel,
  putCatalogueModel,
  readCatalogue,
  removeCatalogueModel,
} from '../db/catalogue.ts'
import { database } from '../db/client.ts'
import { repeatedName } from '../domain/catalogue.ts'
import { hashCredential } from '../domain/credential.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'

/** `GET /host/v1/catalogue`: models that the operator recommends to Hosts. Who has read it before reads it again only where it changed. */
export async function getCatalogue(c: AppContext): Promise<Response> {
  const models = await readCatalogue(database(c.env))
  const text = JSON.stringify({ models } satisfies Catalogue)
  const etag = `"${await hashCredential(text)}"`
  const headers = { 'cache-control': 'public, max-age=300', etag }
  if (isKnown(c.req.header('if-none-match'), etag)) return new Response(null, { status: 304, headers })
  return new Response(text, { headers: { ...headers, 'content-type': 'application/json' } })
}

/** `GET /api/catalogue/:id`. */
export async function getCatalogueModel(c: AppContext): Promise<Response> {
  const entry = await findCatalogueModel(database(c.env), idOf(c))
  if (entry === undefined) throw unknownModel()
  return c.json(entry satisfies CatalogueEntry)
}

/** `PUT /api/catalogue/:id`: adds a model, or replaces the one with this id. */
export async function putCatalogue(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, catalogueRequest)
  const id = modelId.safeParse(idOf(c))
  if (!id.success) {
    const message = 'The id of a model has letters, digits and ._:/- only, at most 128. Choose another one.'
    throw new ApiError({ code: 'invalid_request', message, param: 'id' })
  }
  const entry: CatalogueEntry = { id: id.data, ...value }
  const twice = repeatedName(entry)
  if (twice !== undefined) {
    const message = `${JSON.stringify(twice)} stands twice among the id and the aliases. Leave one out.`
    throw new ApiError({ code: 'invalid_request', message, param: 'aliases' })
  }
  switch (await putCatalogueModel(database(c.env), entry, Date.now())) {
    case 'done':
      return c.json(entry)
    case 'taken': {
      const message =
        'Another model of the catalogue has this id or one of these aliases. Change one of them.'
      throw new ApiError({ code: 'conflict', message })
    }
    case 'full': {
      const message = 'The catalogue is full. Remove a model with DELETE /api/catalogue/:id first.'
      throw new ApiError({ code: 'conflict', message })
    }
  }
}

/** `DELETE /api/catalogue/:id`. */
export async function deleteCatalogueModel(c: AppContext): Promise<Response> {
  if (!(await removeCatalogueModel(database(c.env), idOf(c)))) throw unknownModel()
  return c.body(null, 204)
}

function idOf(c: AppContext): string {
  return c.req.param('id') ?? ''
}

/** True if the caller has this already (RFC 9110 §13.1.2). */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = ifNoneMatch?.split(',').map((each) => each.trim().replace(/^W\//, '')) ?? []
  return known.includes(etag) || known.includes('*')
}

function unknownModel(): ApiError {
  const message = 'The catalogue has no model with this id. GET /host/v1/catalogue lists what it has.'
  return new ApiError({ code: 'not_found', message })
}
