import { resolve } from 'node:path'
import { agentConfigPath, readAgentConfig } from '../state/agent-config.ts'
import { changeConfig } from './change-config.ts'
import { askForModels } from './ask-for-models.ts'
import { joinNetwork } from './join-network.ts'
import type { SetupAsker } from './setup-asker.ts'
import type { SetupContext, SetupOptions } from './setup-context.ts'
import { ControlClient } from '../control/control-client.ts'
import type { Hardware } from '../hardware/hardware.ts'
import { defaultModelsFolder } from '../store/models-folder.ts'
import { lookAtMachine } from './model-survey.ts'
import { settingsOf, WORK_TIME_WORDS, workTimeOf } from './work-time.ts'

/**
 * Asks which network, which models and when, and does what is answered. Each step is kept as soon as it is done, so that a setup
 * that was stopped goes on where it was. Throws a `FatalError`.
 */
export async function setUp(options: SetupOptions, asker: SetupAsker, signal: AbortSignal): Promise<void> {
  const { stateFolder, name, modelsFolder } = options
  if (name !== undefined || modelsFolder !== undefined)
    await changeConfig(stateFolder, (config) => ({
      ...config,
      ...(name !== undefined && { name }),
      ...(modelsFolder !== undefined && { modelsFolder }),
    }))
  const context = await openContext(options, asker, signal)
  const orc = await joinNetwork(context)
  await askForModels(context, orc)
  await askForWorkTime(context)
  asker.say(`All of this stands in ${agentConfigPath(stateFolder)}; change it with: daisi-host config`)
  if (context.agent !== undefined)
    asker.say('The agent that runs here takes another Orc, and other servers, when it is started again.')
}

async function openContext(
  options: SetupOptions,
  asker: SetupAsker,
  signal: AbortSignal,
): Promise<SetupContext> {
  const config = await readAgentConfig(options.stateFolder)
  const client = new ControlClient(options.stateFolder)
  const agent = (await client.isRunning()) ? client : undefined
  const modelsFolder = resolve(config.modelsFolder ?? defaultModelsFolder())
  let looking: Promise<Hardware> | undefined
  const hardware = (): Promise<Hardware> => (looking ??= lookAtMachine(config, modelsFolder, signal))
  // Ready by the time that a person has logged in.
  if (asker.isAttended) void hardware()
  return { ...options, modelsFolder, asker, agent, hardware, signal }
}

async function askForWorkTime({ stateFolder, agent, asker }: SetupContext): Promise<void> {
  const settings =
    agent === undefined ? (await readAgentConfig(stateFolder)).settings : await agent.settings()
  const answer = await asker.workTime(workTimeOf(settings))
  if (answer === undefined) return
  const change = settingsOf(answer)
  if (agent !== undefined) await agent.applySettings(change)
  else
    await changeConfig(stateFolder, (config) => ({ ...config, settings: { ...config.settings, ...change } }))
  asker.say(`Works ${WORK_TIME_WORDS[answer]}.`)
}
