import type { CertificatePin } from '../certificate-pin.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { isPrivateUrl } from '../private-address.ts'

/** An http or https address, without the slash at its end; undefined for anything else. */
export function parseOrcUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return undefined
  return (url.origin + url.pathname).replace(/\/+$/, '')
}

/** Throws a `FatalError` for an address over which tokens would travel readable by anybody, unless that is allowed. */
export function checkOrcAddress(url: string, pin: CertificatePin | undefined, insecure: boolean): void {
  if (url.startsWith('https:')) return
  if (pin !== undefined) {
    const message = `${url} has no certificate to pin; give its https:// address`
    throw new FatalError(ExitCode.Usage, 'pin_without_tls', message)
  }
  if (insecure || isPrivateUrl(url)) return
  const message = `${url} is not encrypted and not an address of the local network: others could read this Host's tokens and its jobs; give its https:// address, with --pin if its certificate is self-signed, or add --insecure`
  throw new FatalError(ExitCode.Usage, 'insecure_orc', message)
}
