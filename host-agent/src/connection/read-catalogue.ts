import type { Catalogue } from '@daisi/protocol'
import type { CertificatePin } from '../certificate-pin.ts'
import { OrcHttp } from './orc-http.ts'
import { OrcTransport } from './orc-transport.ts'

/** The models that an Orc recommends. Rejects as `OrcHttp` does, and if its certificate is not the pinned one. */
export async function readCatalogue(
  { url, pin }: { readonly url: string; readonly pin: CertificatePin | undefined },
  signal: AbortSignal,
): Promise<Catalogue> {
  const transport = new OrcTransport(url, pin)
  try {
    await transport.checkPin(signal)
    return await new OrcHttp(transport).catalogue(signal)
  } finally {
    await transport.close()
  }
}
