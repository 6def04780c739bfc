import type { CatalogueEntry } from '@daisi/protocol'

/** Every name of a model: its id first, then its aliases. */
export function catalogueNames({ id, aliases }: Pick<CatalogueEntry, 'id' | 'aliases'>): string[] {
  return [id, ...aliases]
}

/** The first name that a model has twice, or undefined. */
export function repeatedName(entry: Pick<CatalogueEntry, 'id' | 'aliases'>): string | undefined {
  return catalogueNames(entry).find((name, index, names) => names.indexOf(name) !== index)
}
