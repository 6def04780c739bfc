import { existsSync } from 'node:fs'
import type { CatalogueEntry } from '@daisi/protocol'
import type { CommandOutput } from '../terminal/command-output.ts'
import { humanScreen } from './login-screen.ts'
import { ProgressLine } from '../terminal/progress-line.ts'
import type { CertificatePin } from '../certificate-pin.ts'
import type { FatalError } from '../exit-codes.ts'
import { bestOf, describeProposal } from './model-survey.ts'
import type { ModelPick, ModelQuestion, OrcAnswer, SetupAsker, ShownProgress } from './setup-asker.ts'
import { noModel, noOrc, unknownModel } from './setup-failures.ts'
import type { WorkTime } from './work-time.ts'

/** What the command line and the environment answer. */
export interface GivenAnswers {
  readonly orc?: string | undefined
  readonly pin?: CertificatePin | undefined
  readonly token?: string | undefined
  readonly network?: string | undefined
  readonly models?: readonly string[] | undefined
  readonly servers?: readonly string[] | undefined
  readonly when?: WorkTime | undefined
}

/** Asks nobody: what is not given is as it was, or what is best for most. */
export class UnattendedAsker implements SetupAsker {
  readonly isAttended = false
  readonly loginScreen
  readonly #given: GivenAnswers
  readonly #output: CommandOutput

  constructor(given: GivenAnswers, output: CommandOutput) {
    this.#given = given
    this.#output = output
    this.loginScreen = humanScreen(
      (text) => output.write(text),
      (text) => output.note(text),
    )
  }

  say(text: string): void {
    this.#output.write(`${text}\n`)
  }

  waiting<Value>(_: string, work: Promise<Value>): Promise<Value> {
    return work
  }

  progress(what: string): ShownProgress {
    this.#output.note(`Fetching ${what}\n`)
    return new ProgressLine(this.#output)
  }

  refused(error: FatalError): void {
    throw error
  }

  async again(error: FatalError): Promise<void> {
    throw error
  }

  async orc([known, ...more]: readonly string[]): Promise<OrcAnswer> {
    const { orc = more.length === 0 ? known : undefined, pin } = this.#given
    if (orc === undefined) throw noOrc()
    return { url: orc, pin }
  }

  async trust(): Promise<boolean> {
    return false
  }

  enrolmentToken(): string | undefined {
    return this.#given.token
  }

  async network(): Promise<string | undefined> {
    return this.#given.network
  }

  async models(question: ModelQuestion): Promise<readonly ModelPick[]> {
    const { models = [], servers = [] } = this.#given
    const picks = models.flatMap((text) => pickOf(text, question))
    const named = [...picks, ...servers.map((text) => ({ source: 'server', text }) as const)]
    if (models.length + servers.length > 0 || question.present.length > 0) return named
    if (question.catalogue.length === 0) throw noModel(question.orc)
    const best = bestOf(await question.survey())
    if (best === undefined) throw noModel(question.orc)
    this.say(`Best on this machine: ${describeProposal(best)}`)
    return [{ source: 'catalogue', entry: best.entry }]
  }

  async workTime(): Promise<WorkTime | undefined> {
    return this.#given.when
  }
}

/** A model by its name in the catalogue, or where it is; nothing for one that is here. */
function pickOf(text: string, question: ModelQuestion): readonly ModelPick[] {
  const isCalled = ({ id, aliases }: CatalogueEntry): boolean => id === text || aliases.includes(text)
  const entry = question.catalogue.find(isCalled)
  if (entry !== undefined) return [{ source: 'catalogue', entry }]
  if (question.isPresent(text)) return []
  if (!/[/\\:]|\.gguf$/i.test(text) && !existsSync(text)) throw unknownModel(text)
  return [{ source: 'reference', text }]
}
