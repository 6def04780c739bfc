import type { Outcome } from '../outcome.ts'

/** What an Orc may ask for in the name of this Host's owner, where the owner lets it. */
export interface RemoteModels {
  /** Begins to download and serve a model of the Orc's catalogue. `not_in_catalogue`: the catalogue has no such entry; `too_many_downloads`. Rejects if it cannot be read. */
  beginAddFromCatalogue(
    orcUrl: string,
    wanted: { readonly id: string; readonly sha256: string },
  ): Promise<Outcome<undefined>>
  /** Serves a model no more. `not_added`: it is here, but not one that was added; `unknown_model`: there is none. */
  remove(id: string, options: { readonly deleteFile: boolean }): Promise<Outcome<undefined>>
}
