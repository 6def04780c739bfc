/** What an Orc may ask for in the name of this Host's owner, where the owner lets it. */
export interface RemoteModels {
  /** Begins to download and serve a model of the Orc's catalogue. Throws if the catalogue has no such entry. */
  beginAddFromCatalogue(
    orcUrl: string,
    wanted: { readonly id: string; readonly sha256: string },
  ): Promise<void>
  /** Serves a model no more. Throws if there is none. */
  remove(id: string, options: { readonly deleteFile: boolean }): Promise<void>
}
