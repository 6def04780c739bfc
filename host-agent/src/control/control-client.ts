import { request as httpRequest, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import * as z from 'zod'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { type OwnerSettings, ownerSettings } from '../state/owner-settings.ts'
import { type AgentStatus, agentStatus } from './agent-status.ts'
import { type ControlAddress, controlAddresses, isTrusted } from './control-address.ts'
import {
  type AddModelRequest,
  addModelEvent,
  controlError,
  type ControlEvent,
  controlEvent,
  type ListedModel,
  listedModel,
  type ModelProgress,
  type SettingsPatch,
} from './control-wire.ts'

/** An agent that takes longer to begin its answer hangs. */
const ANSWER_TIMEOUT_MS = 10_000
/** No answer that is read whole comes near this. */
const LARGEST_ANSWER_BYTES = 4 * 1024 * 1024

/** Nobody listens at these addresses: an agent that is gone, or none ever. */
const NOBODY: ReadonlySet<unknown> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ENOTDIR'])

/**
 * The running agent of a state folder, for the commands of its owner. Every call throws a `FatalError`: `not_running`, the
 * agent's own code, or `agent_silent`.
 */
export class ControlClient {
  readonly #stateFolder: string

  constructor(stateFolder: string) {
    this.#stateFolder = stateFolder
  }

  /** True if an agent runs. Throws when one is there and does not answer as it should. */
  async isRunning(): Promise<boolean> {
    try {
      await this.status()
      return true
    } catch (error) {
      if (error instanceof FatalError && error.code === 'not_running') return false
      throw error
    }
  }

  status(): Promise<AgentStatus> {
    return this.#ask('GET', '/status', agentStatus)
  }

  async pause(): Promise<void> {
    await this.#ask('POST', '/pause', z.unknown())
  }

  async resume(): Promise<void> {
    await this.#ask('POST', '/resume', z.unknown())
  }

  async drain(): Promise<void> {
    await this.#ask('POST', '/drain', z.unknown())
  }

  async stop(): Promise<void> {
    await this.#ask('POST', '/stop', z.unknown())
  }

  settings(): Promise<OwnerSettings> {
    return this.#ask('GET', '/settings', ownerSettings)
  }

  applySettings(patch: SettingsPatch): Promise<OwnerSettings> {
    return this.#ask('PATCH', '/settings', ownerSettings, patch)
  }

  models(): Promise<readonly ListedModel[]> {
    return this.#ask('GET', '/models', z.array(listedModel))
  }

  async removeModel(id: string, options: { readonly deleteFile: boolean }): Promise<void> {
    const query = options.deleteFile ? '' : '?keep-file=true'
    await this.#ask('DELETE', `/models/${encodeURIComponent(id)}${query}`, z.unknown())
  }

  /** Resolves when it is served. Aborting the signal gives up. */
  async addModel(
    request: AddModelRequest,
    onProgress: (progress: ModelProgress) => void,
    signal: AbortSignal,
  ): Promise<ListedModel> {
    for await (const event of this.#lines('POST', '/models', addModelEvent, signal, request)) {
      if (event.type === 'progress') onProgress(event)
      else if (event.type === 'added') return event.model
      else throw new FatalError(ExitCode.Failed, event.code, event.message)
    }
    if (!signal.aborted) throw agentSilent('the connection ended before the model was there')
    throw new FatalError(
      ExitCode.Interrupted,
      'interrupted',
      'the download was stopped; start it again and it goes on',
    )
  }

  /** What changes and happens, beginning with the present status. Ends when the agent does or the signal is aborted. */
  events(signal: AbortSignal): AsyncIterable<ControlEvent> {
    return this.#lines('GET', '/events', controlEvent, signal)
  }

  async #ask<Value>(method: string, path: string, schema: z.ZodType<Value>, body?: object): Promise<Value> {
    const response = await this.#request(method, path, AbortSignal.timeout(ANSWER_TIMEOUT_MS), body)
    return parse(await readWhole(response), schema)
  }

  async *#lines<Value>(
    method: string,
    path: string,
    schema: z.ZodType<Value>,
    signal: AbortSignal,
    body?: object,
  ): AsyncGenerator<Value> {
    const response = await this.#request(method, path, signal, body)
    try {
      for await (const line of createInterface({ input: response })) yield parse(line, schema)
    } catch (error) {
      if (signal.aborted || isConnectionEnd(error)) return
      throw error
    } finally {
      response.destroy()
    }
  }

  /** The answer to a request, once its head is there. Throws for errors, the agent's own and those of the way. */
  async #request(method: string, path: string, signal: AbortSignal, body?: object): Promise<IncomingMessage> {
    for (const address of await controlAddresses(this.#stateFolder)) {
      const response = await ask(address, method, path, signal, body)
      if (response === undefined) continue
      if (response.statusCode === 200) return response
      const { code, message } = parse(await readWhole(response), controlError)
      throw new FatalError(ExitCode.Failed, code, message)
    }
    const message = `no agent runs with the state folder ${this.#stateFolder}; start one with daisi-host, or name its folder with --state`
    throw new FatalError(ExitCode.NotRunning, 'not_running', message)
  }
}

/** Undefined if nobody listens there. */
async function ask(
  address: ControlAddress,
  method: string,
  path: string,
  signal: AbortSignal,
  body: object | undefined,
): Promise<IncomingMessage | undefined> {
  if (!(await isTrusted(address))) return undefined
  try {
    return await new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const request = httpRequest(
        { socketPath: address.path, method, path, signal, headers, agent: false },
        resolve,
      )
      request.on('error', reject)
      request.end(body === undefined ? undefined : JSON.stringify(body))
    })
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOBODY.has(error.code)) return undefined
    throw agentSilent('it does not answer', error)
  }
}

async function readWhole(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > LARGEST_ANSWER_BYTES) throw new Error('too long an answer')
      chunks.push(chunk)
    }
  } catch (error) {
    throw agentSilent('its answer ended early', error)
  }
  return Buffer.concat(chunks).toString()
}

function parse<Value>(text: string, schema: z.ZodType<Value>): Value {
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    throw agentSilent('it answers as another version does', error)
  }
}

function isConnectionEnd(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ECONNRESET', 'ABORT_ERR'].includes(String(error.code))
}

function agentSilent(problem: string, cause?: unknown): FatalError {
  const message = `the running agent cannot be asked: ${problem}; start it again, and check that both are one version`
  return new FatalError(ExitCode.Internal, 'agent_silent', message, cause)
}
