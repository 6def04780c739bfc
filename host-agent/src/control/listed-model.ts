import type { RegisteredModel } from '../store/model-registry.ts'
import type { ListedModel } from './control-wire.ts'

/** A model file of the registry, as it is listed. */
export function listedModelOf(model: RegisteredModel): ListedModel {
  const { id, aliases, path, sha256, sizeBytes, contextLength, kinds, licence } = model
  return {
    id,
    aliases,
    from: path,
    sha256,
    sizeBytes,
    ...(contextLength !== undefined && { contextLength }),
    ...(kinds !== undefined && { kinds }),
    ...(licence !== undefined && { licence }),
  }
}
