import type { NetworkDirectory } from '../directory/object.ts'
import { directoryStub } from '../stubs.ts'
import type { HostIdentity } from './attachments.ts'
import type { HostContext } from './context.ts'

/** Tells the directory of each Network that a Host serves. */
export async function tellDirectories(
  { networks }: HostIdentity,
  { env }: Pick<HostContext, 'env'>,
  tell: (directory: DurableObjectStub<NetworkDirectory>) => Promise<void>,
): Promise<void> {
  await Promise.all(networks.map((network) => tell(directoryStub(env, network))))
}
