import { join } from 'node:path'
import envPaths from 'env-paths'

/** Where downloaded models lie unless `--models` or `DAISI_MODELS` names another folder. */
export function defaultModelsFolder(): string {
  return join(envPaths('daisi-host', { suffix: '' }).data, 'models')
}
