import envPaths from 'env-paths'

/** The state folder that `--state` names, or this system's folder for settings. */
export function stateFolderOf(flag: string | undefined): string {
  return flag ?? envPaths('daisi-host', { suffix: '' }).config
}

/** What every command takes. */
export interface StateFlag {
  readonly state?: string
}
