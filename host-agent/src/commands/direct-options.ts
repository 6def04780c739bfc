import { isIP } from 'node:net'
import { InvalidArgumentError, Option } from 'commander'
import type { ListenAddress } from '../direct/listen-plan.ts'
import { parseUrl } from './orc-options.ts'

/** The options of `daisi-host run` for Direct Connections. `planListening` says which go together. */
export const directOptions: readonly Option[] = [
  new Option('--direct <address:port>', 'let Consumers connect to this machine directly, at this address')
    .env('DAISI_DIRECT')
    .argParser(parseListenAddress),
  new Option('--direct-url <url>', 'address that they are told (default: the one listened on)')
    .env('DAISI_DIRECT_URL')
    .argParser(parseUrl),
  new Option('--direct-cert <path>', 'certificate for it, in PEM (default: one made here)').env(
    'DAISI_DIRECT_CERT',
  ),
  new Option('--direct-key <path>', 'key of that certificate, in PEM').env('DAISI_DIRECT_KEY'),
  new Option('--direct-plain-lan', 'no TLS for it, and nobody from outside the local network').env(
    'DAISI_DIRECT_PLAIN_LAN',
  ),
]

/** An IP address, or `localhost`, and a port. */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = plain === 'localhost' ? '127.0.0.1' : (bracketed ?? plain ?? '')
  if (isIP(host) === 0 || Number(port) > 65_535)
    throw new InvalidArgumentError('give an IP address and a port, like 0.0.0.0:8790 or [::]:8790')
  return { host, port: Number(port) }
}
