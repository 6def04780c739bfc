import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { ExitCode, FatalError } from '../exit-codes.ts'
import type { Logger } from '../log.ts'
import { type ControlAddress, controlAddresses, prepareAddress } from './control-address.ts'
import { answerControl } from './control-routes.ts'
import type { ControlTarget } from './control-target.ts'

/** The TUI, a few commands and whoever watches; nobody needs more. */
const MOST_CONNECTIONS = 64
/** For a request with its body. Answers may take as long as they do: they stream. */
const REQUEST_TIMEOUT_MS = 10_000
/** Access for nobody but this user, from the moment that the socket exists. */
const UMASK = 0o177

/**
 * The agent's ear for its owner's commands: HTTP over a socket that only this user can open, never over the network. The
 * holder of the state folder's `StateLock` opens it, so a socket that is there already is one that a dead agent left.
 */
export class ControlServer {
  readonly #server: Server
  readonly #path: string

  private constructor(server: Server, path: string) {
    this.#server = server
    this.#path = path
  }

  /** Throws a `FatalError` if there is no place for a socket. */
  static async open(stateFolder: string, target: ControlTarget, logger: Logger): Promise<ControlServer> {
    let failure: unknown
    for (const address of await controlAddresses(stateFolder)) {
      const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
        answerControl(request, response, target).catch((error: unknown) => {
          logger.error({ event: 'control-failed', err: error }, 'a command of the owner failed')
          response.destroy()
        })
      })
      server.maxConnections = MOST_CONNECTIONS
      try {
        await listen(server, address)
        return new ControlServer(server, address.path)
      } catch (error) {
        if (error instanceof FatalError) throw error
        failure = error
      }
    }
    const message = `no socket for commands can be made for ${stateFolder}; give a folder on a local disk with --state`
    throw new FatalError(ExitCode.State, 'control_unavailable', message, failure)
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
    if (process.platform !== 'win32') await rm(this.#path, { force: true }).catch(() => {})
  }
}

async function listen(server: Server, address: ControlAddress): Promise<void> {
  const listening = once(server, 'listening')
  if (process.platform === 'win32') {
    server.listen(address.path)
  } else {
    await prepareAddress(address)
    await rm(address.path, { force: true })
    // `listen` makes a socket's file before it returns, so nothing else is made under this mask.
    const before = process.umask(UMASK)
    try {
      server.listen(address.path)
    } finally {
      process.umask(before)
    }
  }
  await listening
}
