import { printable } from '../printable.ts'
import { bestOf, describeHardware, describeProposal, type ModelSurvey } from './model-survey.ts'
import type { ModelPick } from './setup-asker.ts'

/** One line of the list. */
export interface ModelOption {
  readonly value: string
  readonly label: string
}

/** What a person can choose to serve, as a list of lines. Values that `pickOf` does not know ask for a text: `file`, `address`. */
export class ModelChooser {
  /** What there is to know before choosing. */
  readonly facts: readonly string[]
  readonly options: readonly ModelOption[]
  /** Values of what is proposed. */
  readonly preset: readonly string[]
  readonly #picks = new Map<string, ModelPick>()

  constructor(present: readonly string[], survey: ModelSurvey) {
    const { hardware, proposals, servers } = survey
    const fitting = proposals.filter(({ fits }) => fits !== 'no')
    const best = bestOf(survey)
    const ordered = best === undefined ? [] : [best, ...fitting.filter((proposal) => proposal !== best)]
    const options: ModelOption[] = []
    const offer = (pick: ModelPick, label: string): void => {
      const value = String(options.length)
      this.#picks.set(value, pick)
      options.push({ value, label })
    }
    for (const proposal of ordered)
      offer({ source: 'catalogue', entry: proposal.entry }, describeProposal(proposal))
    for (const { text, models } of servers) {
      const names =
        models.slice(0, 3).join(', ') + (models.length > 3 ? ` and ${models.length - 3} more` : '')
      offer({ source: 'server', text }, printable(`${text}, which runs here · ${names}`))
    }
    options.push({ value: 'file', label: 'a file on this machine' })
    options.push({ value: 'address', label: 'another address' })
    this.options = options
    this.preset = best === undefined || present.length > 0 ? [] : ['0']
    this.facts = factsOf(describeHardware(hardware), present, proposals.length - fitting.length)
  }

  pickOf(value: string): ModelPick | undefined {
    return this.#picks.get(value)
  }
}

function factsOf(machine: string, present: readonly string[], tooLarge: number): readonly string[] {
  const facts = [`This machine: ${machine}`]
  if (present.length > 0) facts.push(printable(`Served already: ${present.join(', ')}`))
  if (tooLarge > 0)
    facts.push(`${tooLarge} that the Orc recommends ${tooLarge === 1 ? 'is' : 'are'} too large here.`)
  return facts
}
