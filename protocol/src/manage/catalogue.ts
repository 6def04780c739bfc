import * as z from 'zod'
import { catalogueEntry } from '../host/catalogue.ts'

/**
 * Body of `PUT /api/catalogue/:id`: a model of the catalogue without its id. Its fields are named as Hosts read them, so that one
 * Orc's catalogue can be given to another. Strict: a misspelt field is an error, not a default.
 */
export const catalogueRequest = z.strictObject(catalogueEntry.omit({ id: true }).shape)
