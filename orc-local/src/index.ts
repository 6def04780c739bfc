export { OrcError, type OrcErrorCode } from './errors.ts'
export { generateSecrets, type OrcSecrets } from './orc/secrets.ts'
export { startOrc, type OrcOptions, type RunningOrc } from './orc/start-orc.ts'
