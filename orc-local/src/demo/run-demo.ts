import { existsSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { AccountView } from '@daisi/protocol'
import { Daisi } from 'daisi-sdk'
import { OrcError } from '../errors.ts'
import { ExitCode, Failure } from '../exit-codes.ts'
import { acquireLock } from '../lock-file.ts'
import { manageApi } from '../manage-api.ts'
import { openPrivateFolder } from '../orc/state-folder.ts'
import { type RunningOrc, startOrc } from '../orc/start-orc.ts'
import { note, print, printText, styled } from '../output.ts'
import type { Shutdown } from '../shutdown.ts'
import { chat, firstModel } from './chat.ts'
import { type DemoFolder, type DemoState, openDemoState, settleAddress } from './demo-state.ts'
import { type Cast, completeFirstRun, createEnrolment } from './first-run.ts'
import { type HostCommand, type HostProcess, hostProgram, startHost } from './host-process.ts'
import { printNextSteps } from './next-steps.ts'
import { type Balances, printBalances, printChatReport, printRow, printStep } from './report.ts'

/** What the demo is told. */
export interface DemoOptions {
  /** End after the chat. */
  readonly once: boolean
  readonly port: number
  readonly state: string
  readonly model: string
  readonly prompt: string
}

/** Orc, Host and one chat. Returns when it is over; whoever calls stops what `shutdown` holds. */
export async function runDemo(options: DemoOptions, shutdown: Shutdown): Promise<void> {
  await requireModel(options.model)
  const program = hostProgram()
  const { folder, state } = await openFolder(options.state)
  const orc = await startDemoOrc(options, folder, shutdown)
  const cast = await completeFirstRun(orc, state, existsSync(folder.hostDir))
  printRow('Accounts', 'consumer, host-owner')
  const command = {
    program,
    orcUrl: orc.url,
    modelPath: options.model,
    stateDir: folder.hostDir,
    enrolmentToken: cast.enrolmentToken,
    log: note,
  }
  await settleAddress(folder, state, orc.url)
  const host = await startDemoHost(command, shutdown)
  await state.add({ hostEnrolled: true })

  const daisi = new Daisi({ baseURL: `${orc.url}/v1`, apiKey: cast.secretKey })
  const model = await firstModel(daisi)
  await showChat(orc, cast, daisi, model, options.prompt)
  if (options.once) return
  const { token } = await createEnrolment(orc, cast.hostOwner)
  printNextSteps({
    url: orc.url,
    model,
    secretKey: cast.secretKey,
    modelPath: relative(process.cwd(), options.model) || options.model,
    secondHostDir: join(options.state, 'host-2'),
    enrolmentToken: token,
  })
  await stayUp(orc, host, shutdown)
}

async function requireModel(path: string): Promise<void> {
  try {
    await access(path)
  } catch (cause) {
    throw new Failure(ExitCode.Missing, `There is no model at ${path}. Name a GGUF file with --model.`, {
      cause,
    })
  }
}

async function openFolder(path: string): Promise<{ readonly folder: DemoFolder; readonly state: DemoState }> {
  const dir = await openPrivateFolder(path)
  const lock = acquireLock(join(dir, 'demo.lock'))
  if (!lock.ok) {
    throw new OrcError(
      'state_locked',
      `Another demo (process ${lock.holderPid}) uses ${dir}. Stop it or choose another --state.`,
    )
  }
  process.once('exit', lock.release)
  const folder = { dir, orcDir: join(dir, 'orc'), hostDir: join(dir, 'host') }
  return { folder, state: await openDemoState(folder) }
}

async function startDemoOrc(
  options: DemoOptions,
  folder: DemoFolder,
  shutdown: Shutdown,
): Promise<RunningOrc> {
  const startedAt = performance.now()
  const orc = await startOrc({
    stateDir: folder.orcDir,
    port: options.port,
    log: (line) => note(`Orc: ${line}`),
  })
  shutdown.add(orc)
  printStep('Orc', styled('bold', orc.url), startedAt)
  return orc
}

async function startDemoHost(command: HostCommand, shutdown: Shutdown): Promise<HostProcess> {
  const startedAt = performance.now()
  const host = startHost(command)
  shutdown.add(host)
  await host.online
  printStep('Host', 'online', startedAt)
  return host
}

async function showChat(
  orc: RunningOrc,
  cast: Cast,
  daisi: Daisi,
  model: string,
  prompt: string,
): Promise<void> {
  const before = await readBalances(orc, cast)
  printBalances('Balances', before)
  print('', `  ${styled('cyan', prompt)}`)
  printText('  ')
  const report = await chat(daisi, model, prompt, (text) => printText(text.replaceAll('\n', '\n  ')))
  print('', '')
  printChatReport(report)
  // The Orc settles what is finished before it answers this one.
  await daisi.usage.get()
  printBalances('Balances', await readBalances(orc, cast), before)
}

async function readBalances(orc: RunningOrc, cast: Cast): Promise<Balances> {
  const total = async (token: string): Promise<number> => {
    const { balance } = await manageApi(orc.url, token).get<AccountView>('/api/account')
    return balance.available + balance.held
  }
  const [consumer, hostOwner] = await Promise.all([total(cast.consumer.token), total(cast.hostOwner.token)])
  return { consumer, hostOwner }
}

async function stayUp(orc: RunningOrc, host: HostProcess, shutdown: Shutdown): Promise<void> {
  const died = await Promise.race([
    shutdown.requested.then(() => undefined),
    orc.exited.then(
      () => new Failure(ExitCode.Orc, 'The Orc ended by itself. Start the demo again; nothing is lost.'),
    ),
    host.exited.then(({ code, signal }) => {
      return new Failure(
        ExitCode.Host,
        `The Host ended by itself (${signal ?? `exit code ${code}`}). Start the demo again.`,
      )
    }),
  ])
  if (died !== undefined) throw died
}
