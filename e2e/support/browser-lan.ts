import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { BlockList, type AddressInfo, isIPv6 } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { makeCertificate } from '../../sdk/test/certificate.ts'
import { launchBrowser } from './browser.ts'

const PUBLIC_NAME = 'app.example'
const DIST = join(import.meta.dirname, '../../sdk/dist')

/** Where a page comes from. */
export const PAGES = {
  'http://localhost': 'http://localhost',
  'http://127.0.0.1': 'http://127.0.0.1',
  'file://': 'a file (file://)',
  'http://LAN': 'http:// and a LAN address',
  'https://LAN': 'https:// and a LAN address',
  'http://public': 'http:// on the internet',
  'https://public': 'https:// on the internet',
} as const
export type Page = keyof typeof PAGES

/** Where a Host listens. */
export const HOSTS = {
  'http loopback': 'http:// on the same machine',
  'http LAN': 'http:// on the LAN',
  'https self-signed': 'https:// on the LAN, own certificate',
  'https trusted': 'https:// on the LAN, trusted certificate',
} as const
export type Host = keyof typeof HOSTS

/** Whether a page may reach a Host: always, never, or where the user allows the page to look into the local network. */
export type Reach = 'yes' | 'no' | 'asks'

/** What Chromium does, and whether a page has the Ed25519 keys that a Direct Connection needs. */
export const EXPECTED: Readonly<Record<Page, Readonly<Record<Host, Reach>> & { readonly keys: boolean }>> = {
  'http://localhost': row('yes', 'yes', 'no', 'yes', true),
  'http://127.0.0.1': row('yes', 'yes', 'no', 'yes', true),
  'file://': row('yes', 'yes', 'no', 'yes', true),
  'http://LAN': row('yes', 'yes', 'no', 'yes', false),
  'https://LAN': row('yes', 'yes', 'no', 'yes', true),
  'http://public': row('no', 'no', 'no', 'no', false),
  'https://public': row('asks', 'asks', 'no', 'asks', true),
}

function row(
  loopback: Reach,
  lan: Reach,
  selfSigned: Reach,
  trusted: Reach,
  keys: boolean,
): (typeof EXPECTED)[Page] {
  return {
    'http loopback': loopback,
    'http LAN': lan,
    'https self-signed': selfSigned,
    'https trusted': trusted,
    keys,
  }
}

/** The table of the user guide. */
export function renderTable(): string {
  const hosts = Object.keys(HOSTS) as Host[]
  const lines = Object.entries(EXPECTED).map(([page, row]) => {
    const cells = [PAGES[page as Page], ...hosts.map((host) => row[host]), row.keys ? 'yes' : 'no']
    return `| ${cells.join(' | ')} |`
  })
  const head = ['page from', ...hosts.map((host) => HOSTS[host]), 'keys']
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...lines].join('\n')
}

const PRIVATE = new BlockList()
PRIVATE.addSubnet('10.0.0.0', 8)
PRIVATE.addSubnet('172.16.0.0', 12)
PRIVATE.addSubnet('192.168.0.0', 16)
PRIVATE.addSubnet('fc00::', 7, 'ipv6')

/** An address of this machine on a local network, if it is on one. */
export const lanAddress: string | undefined = Object.values(networkInterfaces())
  .flatMap((entries) => entries ?? [])
  .find(
    ({ internal, address, family }) =>
      !internal && PRIVATE.check(address, family === 'IPv6' ? 'ipv6' : 'ipv4'),
  )?.address

/** Pages and Hosts of every kind on this machine, and a browser that trusts one of their certificates. */
export class LanScene implements AsyncDisposable {
  readonly browser: Browser
  readonly pages: Readonly<Record<Page, string>>
  readonly hosts: Readonly<Record<Host, string>>
  /** What arrived at Hosts: method and names of headers, in order. */
  readonly arrived: { readonly method: string; readonly headers: readonly string[] }[]
  readonly #stack: AsyncDisposableStack

  private constructor(
    parts: Pick<LanScene, 'browser' | 'pages' | 'hosts' | 'arrived'>,
    stack: AsyncDisposableStack,
  ) {
    this.browser = parts.browser
    this.pages = parts.pages
    this.hosts = parts.hosts
    this.arrived = parts.arrived
    this.#stack = stack
  }

  /** `page` answers what pages ask their own server for beside themselves and the SDK. */
  static async start(lan: string, page: RequestListener, host: RequestListener): Promise<LanScene> {
    await using stack = new AsyncDisposableStack()
    const trusted = makeCertificate(['localhost', '127.0.0.1', lan, PUBLIC_NAME])
    const arrived: LanScene['arrived'] = []
    const ofHost: RequestListener = (request, response) => {
      arrived.push({ method: request.method ?? '', headers: Object.keys(request.headers) })
      withCors(host)(request, response)
    }
    const listen = async (server: Server, address: string): Promise<string> => {
      server.listen(0, address)
      await once(server, 'listening')
      stack.defer(() => {
        server.close()
        server.closeAllConnections()
      })
      const { port } = server.address() as AddressInfo
      return `${isIPv6(address) ? `[${address}]` : address}:${port}`
    }
    const plain = (listener: RequestListener, address: string): Promise<string> =>
      listen(createServer(listener), address)
    const secure = (listener: RequestListener, address: string, pair = trusted): Promise<string> =>
      listen(createSecureServer(pair, listener), address)

    const folder = await mkdtemp(join(tmpdir(), 'daisi-page-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'page.html')
    await writeFile(file, PAGE)
    const own = ownServer(page)
    const loopback = await plain(own, '127.0.0.1')
    const [publicPlain, publicSecure] = [await plain(own, '127.0.0.1'), await secure(own, '127.0.0.1')]
    const named = (address: string, name: string): string => address.replace('127.0.0.1', name)
    const pages = {
      'http://localhost': `http://${named(loopback, 'localhost')}/`,
      'http://127.0.0.1': `http://${loopback}/`,
      'file://': `file://${file}`,
      'http://LAN': `http://${await plain(own, lan)}/`,
      'https://LAN': `https://${await secure(own, lan)}/`,
      'http://public': `http://${named(publicPlain, PUBLIC_NAME)}/`,
      'https://public': `https://${named(publicSecure, PUBLIC_NAME)}/`,
    }
    const hosts = {
      'http loopback': `http://${await plain(ofHost, '127.0.0.1')}`,
      'http LAN': `http://${await plain(ofHost, lan)}`,
      'https self-signed': `https://${await secure(ofHost, lan, makeCertificate([lan]))}`,
      'https trusted': `https://${await secure(ofHost, lan)}`,
    }
    // Stands for the internet: a name, and addresses that the browser is told to take for public ones.
    const browser = await launchBrowser([
      `--host-resolver-rules=MAP ${PUBLIC_NAME} 127.0.0.1`,
      `--ip-address-space-overrides=${publicPlain}=public,${publicSecure}=public`,
      `--ignore-certificate-errors-spki-list=${trusted.spki}`,
    ])
    stack.defer(() => browser.close())
    return new LanScene({ browser, pages, hosts, arrived }, stack.move())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}

const PAGE = '<!doctype html><title>page</title>'
const PAGE_WITH_SDK = `${PAGE}<script type="module">
  import { Daisi } from '/sdk/index.js'
  import { connectDirect } from '/sdk/direct.js'
  globalThis.sdk = { Daisi, connectDirect }
</script>`

/** Serves the page, the built SDK, and what else the page asks for. */
function ownServer(rest: RequestListener): RequestListener {
  return (request, response) => {
    const [, module] = /^\/sdk\/([a-z-]+\.js)$/.exec(request.url ?? '') ?? []
    if (module !== undefined) {
      response.setHeader('content-type', 'text/javascript')
      void readFile(join(DIST, module)).then((code) => response.end(code))
    } else if (request.url?.startsWith('/v1/') === true) rest(request, response)
    else response.setHeader('content-type', 'text/html').end(PAGE_WITH_SDK)
  }
}

/** As a Host answers pages (D4): any may ask, and read what it needs to acknowledge. */
function withCors(listener: RequestListener): RequestListener {
  return (request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader(
      'access-control-expose-headers',
      'daisi-prompt-tokens, daisi-cached-tokens, retry-after',
    )
    if (request.method !== 'OPTIONS') return listener(request, response)
    response.setHeader('access-control-allow-methods', 'POST')
    response.setHeader('access-control-allow-headers', 'authorization, content-type, dpop')
    response.writeHead(204).end()
  }
}
