import type { CatalogueEntry } from '@daisi/protocol'
import type { AddModelRequest } from '../control/control-wire.ts'
import { declined, StoreDesk } from '../control/model-desk.ts'
import { requestOfEntry, wholeReference } from '../control/model-request.ts'
import { describeFailure } from '../connection/orc-failures.ts'
import { readCatalogue } from '../connection/read-catalogue.ts'
import { parseServers } from '../models/parse-servers.ts'
import { printable } from '../printable.ts'
import { readAgentConfig } from '../state/agent-config.ts'
import { parseModelReference, referenceText } from '../store/model-reference.ts'
import { ModelRegistry } from '../store/model-registry.ts'
import { rememberServer } from './change-config.ts'
import { findServers } from './find-servers.ts'
import { type ModelSurvey, surveyModels } from './model-survey.ts'
import type { ModelPick, ModelQuestion, OrcAnswer } from './setup-asker.ts'
import type { SetupContext } from './setup-context.ts'
import { setupInterrupted } from './setup-failures.ts'
import { untilDone } from './until-done.ts'

/** The second question: what this Host serves. Downloads what is chosen. Throws a `FatalError`. */
export async function askForModels(context: SetupContext, orc: OrcAnswer): Promise<void> {
  const { asker, signal } = context
  const catalogue = await asker.waiting('Reading what the Orc recommends', readIfPossible(context, orc))
  let survey: Promise<ModelSurvey> | undefined
  const look = (): Promise<ModelSurvey> => (survey ??= lookAround(context, catalogue))
  await untilDone(
    async () => {
      for (const pick of await asker.models(await questionOf(context, orc, catalogue, look)))
        await take(context, pick)
    },
    (error) => asker.refused(error),
    signal,
  )
}

async function readIfPossible(
  { asker, signal }: SetupContext,
  orc: OrcAnswer,
): Promise<readonly CatalogueEntry[]> {
  try {
    return (await readCatalogue(orc, signal)).models
  } catch (error) {
    if (signal.aborted) throw setupInterrupted()
    asker.say(`${orc.url} recommends no models (${printable(describeFailure(error))}).`)
    return []
  }
}

async function lookAround(context: SetupContext, catalogue: readonly CatalogueEntry[]): Promise<ModelSurvey> {
  const { stateFolder, hardware, usualServers, asker, signal } = context
  const config = await readAgentConfig(stateFolder)
  const looking = surveyModels({ config, catalogue, hardware: hardware(), usualServers }, signal)
  const stopped = Promise.withResolvers<undefined>()
  signal.addEventListener('abort', () => stopped.resolve(undefined), { once: true })
  const survey = await asker.waiting('Looking at this machine', Promise.race([looking, stopped.promise]))
  if (survey === undefined || signal.aborted) throw setupInterrupted()
  return survey
}

async function questionOf(
  { stateFolder }: SetupContext,
  { url: orc }: OrcAnswer,
  catalogue: readonly CatalogueEntry[],
  look: () => Promise<ModelSurvey>,
): Promise<ModelQuestion> {
  const [models, { servers }] = await Promise.all([
    new ModelRegistry(stateFolder).list(),
    readAgentConfig(stateFolder),
  ])
  const isNew = ({ id, sha256 }: CatalogueEntry): boolean =>
    !models.some((model) => model.id === id && model.sha256 === sha256)
  return {
    orc,
    catalogue: catalogue.filter(isNew),
    present: [...models.map(({ id }) => id), ...servers],
    isPresent: (text: string) => {
      const parsed = parseModelReference(text)
      const origin = parsed.ok ? referenceText(parsed.reference) : undefined
      return models.some(
        ({ id, aliases, reference }) => id === text || aliases.includes(text) || reference === origin,
      )
    },
    survey: async () => {
      const survey = await look()
      return {
        ...survey,
        proposals: survey.proposals.filter(({ entry }) => isNew(entry)),
        servers: survey.servers.filter(({ text }) => !servers.includes(text)),
      }
    },
  }
}

async function take(context: SetupContext, pick: ModelPick): Promise<void> {
  const { stateFolder, modelsFolder, hub, agent, asker, signal } = context
  if (pick.source === 'server') {
    const { text } = pick
    parseServers([text])
    const [found] = await asker.waiting(`Asking ${text.split('#')[0]}`, findServers([text], [], signal))
    await rememberServer(stateFolder, text)
    const models = found?.models.map(printable).join(', ')
    return asker.say(
      models === undefined
        ? `${printable(text)} does not answer now; its models are served once it does.`
        : `Serves ${models} of ${printable(text)}.`,
    )
  }
  const registry = new ModelRegistry(stateFolder)
  const desk = agent ?? new StoreDesk(registry, async () => ({ registry, stateFolder, modelsFolder, hub }))
  const request = requestOf(pick)
  const progress = asker.progress(printable(pick.source === 'catalogue' ? pick.entry.name : pick.text))
  try {
    const { id } = await desk.addModel(request, (step) => progress.show(step), signal)
    progress.end()
    asker.say(`Serves ${id}.`)
  } finally {
    progress.end()
  }
}

function requestOf(pick: Exclude<ModelPick, { source: 'server' }>): AddModelRequest {
  if (pick.source === 'reference') return { reference: wholeReference(pick.text) }
  const request = requestOfEntry(pick.entry)
  if (!request.ok) throw declined(request)
  return request.value
}
