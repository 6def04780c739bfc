import { relative, sep } from 'node:path'
import {
  COMPATIBILITY_DATE,
  COMPATIBILITY_FLAGS,
  DATABASE_BINDING,
  DURABLE_OBJECTS,
  uniqueKey,
} from './bindings.ts'
import { Embed, renderCapnp, type CapnpValue } from './capnp.ts'
import type { Migration } from '../migration.ts'
import type { CertificateFiles } from '../tls/server-certificate.ts'

/** The socket that the world sees. */
export const ORC_SOCKET = 'orc'
/** A socket on loopback that asks the database how it stands, and reads nothing that is in it. */
export const CONTROL_SOCKET = 'control'

/** Everything that the configuration of one Orc depends on. */
export interface ConfigInput {
  /** Folder of the configuration file: programs are named relative to it. */
  readonly configDir: string
  /** Absolute folder of the Durable Objects' databases. */
  readonly storageDir: string
  /** `host:port` to listen on. */
  readonly address: string
  readonly workerScript: string
  readonly databaseScript: string
  /** Absolute paths; undefined for plain HTTP. */
  readonly certificate: CertificateFiles | undefined
  /** Addresses that the Orc may contact: CIDR, or workerd's `public` and `private`. Empty for none at all. */
  readonly outbound: readonly string[]
  readonly vars: Readonly<Record<string, string>>
  /** Names of the secrets that workerd finds in its environment. */
  readonly secretNames: readonly string[]
  readonly migrations: readonly Migration[]
}

/** workerd's configuration, without any secret. */
export function workerdConfig(input: ConfigInput): string {
  const config: CapnpValue = {
    services: [
      { name: 'orc', worker: orcWorker(input) },
      { name: 'database', worker: databaseWorker(input) },
      { name: 'storage', disk: { path: input.storageDir, writable: true } },
      { name: 'nowhere', worker: refusingWorker },
      ...(input.outbound.length === 0 ? [] : [{ name: 'outside', network: network(input.outbound) }]),
    ],
    sockets: [
      { name: ORC_SOCKET, address: input.address, ...transport(input), service: 'orc' },
      {
        name: CONTROL_SOCKET,
        address: '127.0.0.1:0',
        http: {},
        service: { name: 'database', entrypoint: 'Control' },
      },
    ],
  }
  return `using Workerd = import "/workerd/workerd.capnp";\nconst config :Workerd.Config = ${renderCapnp(config)};\n`
}

function transport({ configDir, certificate }: ConfigInput): { readonly [field: string]: CapnpValue } {
  if (certificate === undefined) return { http: {} }
  const keypair = {
    privateKey: embed(configDir, certificate.keyFile),
    certificateChain: embed(configDir, certificate.certificateFile),
  }
  return { https: { options: {}, tlsOptions: { keypair } } }
}

function network(allow: readonly string[]): CapnpValue {
  return { allow, tlsOptions: { trustBrowserCas: true } }
}

/** Stands where the outside would be. A network that allows no address would still ask a name server for one. */
const refusingWorker: CapnpValue = {
  compatibilityDate: COMPATIBILITY_DATE,
  modules: [
    {
      name: 'nowhere.js',
      esModule: `export default { fetch() { throw new Error('This Orc contacts nothing outside.') } }`,
    },
  ],
}

function orcWorker(input: ConfigInput): CapnpValue {
  return {
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: COMPATIBILITY_FLAGS,
    modules: [{ name: 'orc.js', esModule: embed(input.configDir, input.workerScript) }],
    durableObjectNamespaces: Object.values(DURABLE_OBJECTS).map(namespace),
    durableObjectStorage: { localDisk: 'storage' },
    globalOutbound: input.outbound.length === 0 ? 'nowhere' : 'outside',
    bindings: [
      ...Object.entries(DURABLE_OBJECTS).map(([name, className]) => ({
        name,
        durableObjectNamespace: className,
      })),
      ...Object.entries(input.vars).map(([name, text]) => ({ name, text })),
      ...input.secretNames.map((name) => ({ name, fromEnvironment: name })),
      {
        name: DATABASE_BINDING,
        // Not a stable interface of workerd: its version is pinned, and the tests beside this file run on it.
        wrapped: {
          moduleName: 'cloudflare-internal:d1-api',
          innerBindings: [{ name: 'fetcher', service: 'database' }],
        },
      },
    ],
  }
}

function databaseWorker(input: ConfigInput): CapnpValue {
  return {
    compatibilityDate: COMPATIBILITY_DATE,
    modules: [{ name: 'd1-store.js', esModule: embed(input.configDir, input.databaseScript) }],
    durableObjectNamespaces: [namespace('D1Store')],
    durableObjectStorage: { localDisk: 'storage' },
    globalOutbound: 'nowhere',
    bindings: [
      { name: 'STORE', durableObjectNamespace: 'D1Store' },
      { name: 'MIGRATIONS', json: JSON.stringify(input.migrations) },
    ],
  }
}

function namespace(className: string): CapnpValue {
  return { className, uniqueKey: uniqueKey(className), enableSql: true }
}

/** Cap'n Proto looks absolute paths up in its import path, so programs are named relative to the configuration. */
function embed(configDir: string, path: string): Embed {
  return new Embed(relative(configDir, path).split(sep).join('/'))
}
