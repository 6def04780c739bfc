import { type CatalogueEntry, MAX_CATALOGUE_MODELS, catalogueEntry } from '@daisi/protocol'
import { eq, sql } from 'drizzle-orm'
import { catalogueNames as namesOf } from '../domain/catalogue.ts'
import { catalogueModels, catalogueNames } from './catalogue-schema.ts'
import { type Database, failedOn } from './client.ts'

/** Every model of the catalogue, by id. What an earlier version of the Orc stored and this one cannot read is left out. */
export async function readCatalogue(db: Database): Promise<CatalogueEntry[]> {
  const rows = await db
    .select({ entry: catalogueModels.entry })
    .from(catalogueModels)
    .orderBy(catalogueModels.id)
  return rows.flatMap(({ entry }) => catalogueEntry.safeParse(entry).data ?? [])
}

/** One of them, or undefined. */
export async function findCatalogueModel(db: Database, id: string): Promise<CatalogueEntry | undefined> {
  const { entry } = catalogueModels
  const [row] = await db.select({ entry }).from(catalogueModels).where(eq(catalogueModels.id, id))
  return catalogueEntry.safeParse(row?.entry).data
}

/**
 * Puts a model into the catalogue, in place of the one that has its id. May be repeated. `taken`: another model has its id as
 * an alias, or one of its aliases as a name. `full`: there are as many as there can be.
 */
export async function putCatalogueModel(
  db: Database,
  entry: CatalogueEntry,
  now: number,
): Promise<'done' | 'taken' | 'full'> {
  const { id } = entry
  const hasRoom = sql`(select count(*) from catalogue_models) < ${MAX_CATALOGUE_MODELS}
    or exists (select 1 from catalogue_models where id = ${id})`
  try {
    await db.batch([
      db
        .insert(catalogueModels)
        .select(sql`select ${id}, ${JSON.stringify(entry)}, ${now} where ${hasRoom}`)
        .onConflictDoUpdate({
          target: catalogueModels.id,
          set: { entry: sql`excluded.entry`, updatedAt: sql`excluded.updated_at` },
        }),
      db.delete(catalogueNames).where(eq(catalogueNames.modelId, id)),
      db.insert(catalogueNames).values(namesOf(entry).map((name) => ({ name, modelId: id }))),
    ])
    return 'done'
  } catch (error) {
    if (failedOn(error, 'catalogue_names.name')) return 'taken'
    // Its names have nothing to refer to.
    if (failedOn(error, 'FOREIGN KEY')) return 'full'
    throw error
  }
}

/** Takes a model out of the catalogue. Hosts that have it go on serving it. False if it is not there. */
export async function removeCatalogueModel(db: Database, id: string): Promise<boolean> {
  const [, removed] = await db.batch([
    db.delete(catalogueNames).where(eq(catalogueNames.modelId, id)),
    db.delete(catalogueModels).where(eq(catalogueModels.id, id)).returning({ id: catalogueModels.id }),
  ])
  return removed.length > 0
}
