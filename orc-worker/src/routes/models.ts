import type { ModelList } from '@daisi/protocol'
import { modelNamed, servedModels } from '../domain/served-models.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { directoryStub, sessionStub } from '../objects/stubs.ts'

/** `GET /v1/models`: what online Hosts of the Network serve. */
export async function listModels(c: AppContext): Promise<Response> {
  return c.json({ object: 'list', data: await readModels(c) } satisfies ModelList)
}

/** `GET /v1/models/:model`: by id or alias. Slashes of the id may be written as they are, or as `%2F`. */
export async function getModel(c: AppContext): Promise<Response> {
  const model = modelNamed(await readModels(c), c.req.param('model') ?? '')
  if (model === undefined) {
    throw new ApiError({
      code: 'not_found',
      message: 'No online Host serves this model. GET /v1/models lists what is.',
    })
  }
  return c.json(model)
}

async function readModels(c: AppContext): Promise<ModelList['data']> {
  const { caller, sessionName } = c.var.consumer
  const authorized = await sessionStub(c.env, sessionName).authorize(caller, 'inference')
  if (!authorized.ok) throw new ApiError(authorized)
  const { networks, models } = authorized.record
  const hosts = await Promise.all(networks.map(({ name }) => directoryStub(c.env, name).serving()))
  const listed = servedModels(hosts.flat())
  return models === null
    ? listed
    : listed.filter(({ id, aliases }) => [id, ...aliases].some((name) => models.includes(name)))
}
