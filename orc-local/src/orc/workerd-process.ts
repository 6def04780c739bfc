import { spawn, type ChildProcess } from 'node:child_process'
import { Readable } from 'node:stream'
import { dieWithParent } from '../child/die-with-parent.ts'
import { forEachLine } from '../child/lines.ts'
import { childExit, type ChildExit } from '../child/stop-child.ts'
import { OrcError } from '../errors.ts'
import { type LoginCode, readLoginLine } from './login-codes.ts'

/** How many of workerd's last lines an error repeats. */
const LINES_KEPT = 12

/** A running workerd that listens. */
export interface WorkerdProcess {
  readonly child: ChildProcess
  readonly exited: Promise<ChildExit>
  /** Socket name → port. */
  readonly ports: ReadonlyMap<string, number>
}

/** What to run. */
export interface WorkerdCommand {
  readonly binary: string
  readonly configFile: string
  readonly environment: Readonly<Record<string, string>>
  /** Names of the sockets to wait for. */
  readonly sockets: readonly string[]
  readonly log: (line: string) => void
  /** Gets the codes that the Worker writes for the operator; the log does not. */
  readonly onLoginCode: (code: LoginCode) => void
}

/** Starts workerd and resolves when every socket listens: workerd reports each on a descriptor of its own. */
export async function startWorkerd(command: WorkerdCommand): Promise<WorkerdProcess> {
  const child = spawn(command.binary, ['serve', '--control-fd=3', command.configFile], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: command.environment,
    detached: process.platform !== 'win32',
  })
  const exited = childExit(child)
  dieWithParent(child, 'KILL')
  const lastLines: string[] = []
  const onLine = (line: string): void => {
    lastLines.push(line)
    if (lastLines.length > LINES_KEPT) lastLines.shift()
    command.log(line)
  }
  // The Worker speaks on stdout. What workerd adds on stderr may quote strangers, so no code is taken from there.
  const onWorkerLine = (line: string): void => {
    const found = readLoginLine(line)
    if (found.kind === 'code') command.onLoginCode(found.code)
    else if (found.kind === 'unreadable') onLine('A login code could not be read and is not shown.')
    else onLine(line)
  }
  if (child.stdout !== null) forEachLine(child.stdout, onWorkerLine)
  if (child.stderr !== null) forEachLine(child.stderr, onLine)
  const ports = await Promise.race([
    listeningPorts(child, command.sockets),
    exited.then((exit) => {
      throw startError(exit, lastLines)
    }),
  ])
  return { child, exited, ports }
}

function listeningPorts(
  child: ChildProcess,
  sockets: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  return new Promise((resolve) => {
    const control = child.stdio[3]
    if (!(control instanceof Readable)) return
    const ports = new Map<string, number>()
    forEachLine(control, (line) => {
      const message: unknown = JSON.parse(line)
      if (typeof message !== 'object' || message === null || !('socket' in message) || !('port' in message))
        return
      if (typeof message.socket === 'string' && typeof message.port === 'number') {
        ports.set(message.socket, message.port)
      }
      if (sockets.every((name) => ports.has(name))) resolve(ports)
    })
  })
}

/** workerd says why it stopped in English only; the two reasons that a person can act on get a code. */
function startError(exit: ChildExit, lines: readonly string[]): OrcError {
  const text = lines.join('\n')
  if (/address (already )?in use/i.test(text))
    return new OrcError('port_in_use', `The port is taken. ${text}`)
  if (/bind\(\)|getaddrinfo|DNS lookup/i.test(text)) {
    return new OrcError('address_unavailable', `workerd cannot listen there. ${text}`)
  }
  const how = exit.signal ?? (exit.code === null ? 'not started' : `exit code ${exit.code}`)
  return new OrcError('start_failed', `workerd ended before it served (${how}).\n${text}`)
}
