import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Models that the operator recommends to Hosts. */
export const catalogueModels = sqliteTable('catalogue_models', {
  id: text('id').primaryKey(),
  /** Everything else about it, as `catalogueEntry` says. */
  entry: text('entry', { mode: 'json' }).$type<unknown>().notNull(),
  /** Milliseconds since the epoch. */
  updatedAt: integer('updated_at').notNull(),
})

/** Every id and alias in the catalogue: no name means two models. */
export const catalogueNames = sqliteTable(
  'catalogue_names',
  {
    name: text('name').primaryKey(),
    modelId: text('model_id')
      .notNull()
      .references(() => catalogueModels.id),
  },
  (table) => [index('catalogue_names_model').on(table.modelId)],
)
