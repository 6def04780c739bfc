import { relative, sep } from 'node:path'
import {
  COMPATIBILITY_DATE,
  COMPATIBILITY_FLAGS,
  DATABASE_BINDING,
  DURABLE_OBJECTS,
  SECRET_NAMES,
  uniqueKey,
} from './bindings.ts'
import { Embed, renderCapnp, type CapnpValue } from './capnp.ts'
import type { Migration } from '../migration.ts'

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
  readonly vars: Readonly<Record<string, string>>
  readonly migrations: readonly Migration[]
}

/** workerd's configuration, without any secret. */
export function workerdConfig(input: ConfigInput): string {
  const config: CapnpValue = {
    services: [
      { name: 'orc', worker: orcWorker(input) },
      { name: 'database', worker: databaseWorker(input) },
      { name: 'storage', disk: { path: input.storageDir, writable: true } },
    ],
    sockets: [
      { name: ORC_SOCKET, address: input.address, http: {}, service: 'orc' },
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

function orcWorker(input: ConfigInput): CapnpValue {
  return {
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: COMPATIBILITY_FLAGS,
    modules: [{ name: 'orc.js', esModule: embed(input.configDir, input.workerScript) }],
    durableObjectNamespaces: Object.values(DURABLE_OBJECTS).map(namespace),
    durableObjectStorage: { localDisk: 'storage' },
    bindings: [
      ...Object.entries(DURABLE_OBJECTS).map(([name, className]) => ({
        name,
        durableObjectNamespace: className,
      })),
      ...Object.entries(input.vars).map(([name, text]) => ({ name, text })),
      ...SECRET_NAMES.map((name) => ({ name, fromEnvironment: name })),
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
