import { networkInterfaces } from 'node:os'
import { isSetUp } from '../is-set-up.ts'
import { isLoopback, type ListenAddress } from '../orc/listen-address.ts'
import type { RunningOrc } from '../orc/start-orc.ts'
import { formatFingerprint } from '../pinned-https.ts'
import { note, print, styled } from '../output.ts'

/** Tells the operator where the Orc is, and the commands that come next. */
export async function announce(orc: RunningOrc, listen: ListenAddress, state: string): Promise<void> {
  print(`${styled('green', 'Orc')} ${styled('bold', orc.url)}  (state in ${state}; Ctrl-C stops it)`)
  const elsewhere = isWildcard(listen) ? reachableUrls(orc) : []
  for (const url of elsewhere) print(`    ${url}`)
  const url = elsewhere[0] ?? orc.url
  const pin = announceCertificate(orc, url)
  if (orc.certificate === undefined && !isLoopback(listen.host))
    note('It speaks plain HTTP: everybody on the way can read and change everything. Use --tls.')
  if (await isSetUp(orc)) return
  print(
    '',
    'It has no operator yet. In another terminal:',
    `  npx daisi-orc setup --orc ${orc.url}${pin} --setup-token ${orc.setupToken} --name operator`,
  )
}

/** Prints the fingerprint. Returns the option that commands need, which is empty where the certificate speaks for itself. */
function announceCertificate({ certificate }: RunningOrc, url: string): string {
  if (certificate === undefined) return ''
  if (certificate.replaced)
    note('The certificate had expired and was replaced. Everybody who pinned the old one needs the new pin.')
  print(`Certificate SHA-256 fingerprint ${formatFingerprint(certificate.pin)}`)
  if (!certificate.isSelfSigned) return ''
  const pin = ` --pin ${certificate.pin}`
  print(`    npx daisi-host run --orc ${url}${pin} --model FILE`)
  return pin
}

function isWildcard({ host }: ListenAddress): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** What other machines may call this one. */
function reachableUrls(orc: RunningOrc): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  const scheme = orc.certificate === undefined ? 'http' : 'https'
  return addresses
    .filter((entry) => entry.family === 'IPv4' && !entry.internal)
    .map((entry) => `${scheme}://${entry.address}:${orc.port}`)
}
