import { loadIdentity } from '../state/identity.ts'

/** `daisi-host id`: prints this Host's id, and makes its identity if there is none. */
export async function idCommand(stateFolder: string): Promise<void> {
  const { hostId } = await loadIdentity(stateFolder)
  process.stdout.write(`${hostId}\n`)
}
