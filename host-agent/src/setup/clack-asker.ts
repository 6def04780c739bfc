import type * as Clack from '@clack/prompts'
import type { CommandOutput } from '../terminal/command-output.ts'
import { humanScreen } from './login-screen.ts'
import { parseOrcUrl } from '../connection/orc-address.ts'
import { ProgressLine } from '../terminal/progress-line.ts'
import type { CertificatePin } from '../certificate-pin.ts'
import type { FatalError } from '../exit-codes.ts'
import { printable } from '../printable.ts'
import { ModelChooser } from './model-chooser.ts'
import type { ModelPick, ModelQuestion, OrcAnswer, SetupAsker, ShownProgress } from './setup-asker.ts'
import { invalidAddress, setupInterrupted } from './setup-failures.ts'
import { type GivenAnswers, UnattendedAsker } from './unattended-asker.ts'
import { showWaiting } from '../terminal/wait-line.ts'
import { WORK_TIME_WORDS, WORK_TIMES, type WorkTime } from './work-time.ts'

/** Asks a person at a terminal what the command line leaves open. Ctrl-C and Esc throw `setup_interrupted`. */
export class ClackAsker implements SetupAsker {
  readonly isAttended = true
  readonly loginScreen
  readonly #clack: typeof Clack
  readonly #output: CommandOutput
  readonly #signal: AbortSignal
  /** What the command line answers: once, since the same answer would be refused again. */
  #given: GivenAnswers

  private constructor(clack: typeof Clack, given: GivenAnswers, output: CommandOutput, signal: AbortSignal) {
    this.#clack = clack
    this.#given = given
    this.#output = output
    this.#signal = signal
    this.loginScreen = humanScreen(
      (text) => output.write(text),
      (text) => output.note(text),
    )
  }

  static async open(given: GivenAnswers, output: CommandOutput, signal: AbortSignal): Promise<ClackAsker> {
    const clack = await import('@clack/prompts')
    clack.intro(
      'Lend this machine: three questions, and it is online. Ctrl-C stops; what was answered is kept.',
    )
    return new ClackAsker(clack, given, output, signal)
  }

  say(text: string): void {
    this.#clack.log.info(text)
  }

  waiting<Value>(what: string, work: Promise<Value>): Promise<Value> {
    return showWaiting(this.#output, what, work)
  }

  progress(what: string): ShownProgress {
    this.say(`Fetching ${what}`)
    return new ProgressLine(this.#output)
  }

  refused(error: FatalError): void {
    this.#clack.log.error(printable(error.message))
    const { orc, token, network, when } = this.#given
    this.#given = { orc, token, network, when }
  }

  async again(error: FatalError): Promise<void> {
    this.refused(error)
    const { orc, when } = this.#given
    this.#given = { orc, when }
    if (!(await this.#answer(this.#clack.confirm({ message: 'Try again?', signal: this.#signal }))))
      throw error
  }

  async orc(known: readonly string[]): Promise<OrcAnswer> {
    const initialValue = this.#given.orc ?? known[0]
    const text = await this.#answer(
      this.#clack.text({
        message: 'Question 1 of 3: which network? Give the address of its Orc',
        placeholder: 'https://orc.example',
        ...(initialValue !== undefined && { initialValue }),
        validate: (text = '') => problemOf(() => parseAddress(text)),
        signal: this.#signal,
      }),
    )
    const url = parseAddress(text)
    return { url, pin: url === this.#given.orc ? this.#given.pin : undefined }
  }

  async trust(url: string, shown: CertificatePin): Promise<boolean> {
    this.#clack.log.warn(
      `No authority vouches for the certificate of ${url}. That is usual for an Orc that somebody runs at home.\nIts fingerprint is ${shown}\nAsk the Orc's owner whether it is this one: daisi-orc prints it when it starts.`,
    )
    const message = 'Is this the fingerprint?'
    return this.#answer(this.#clack.confirm({ message, initialValue: false, signal: this.#signal }))
  }

  enrolmentToken(): string | undefined {
    return this.#given.token
  }

  async network(networks: readonly string[]): Promise<string | undefined> {
    if (this.#given.network !== undefined || networks.length < 2) return this.#given.network
    const options = networks.map((value) => ({ value }))
    return this.#answer(
      this.#clack.select<string>({ message: 'Which of its Networks?', options, signal: this.#signal }),
    )
  }

  async models(question: ModelQuestion): Promise<readonly ModelPick[]> {
    const { models, servers } = this.#given
    if (models !== undefined || servers !== undefined)
      return new UnattendedAsker(this.#given, this.#output).models(question)
    const { proposals, servers: found, hardware } = await question.survey()
    const chooser = new ModelChooser(question.present, { proposals, servers: found, hardware })
    for (const line of chooser.facts) this.say(line)
    const chosen = await this.#answer(
      this.#clack.multiselect<string>({
        message: 'Question 2 of 3: what may it serve? Space chooses, Enter goes on',
        options: [...chooser.options],
        initialValues: [...chooser.preset],
        required: question.present.length === 0,
        maxItems: 12,
        signal: this.#signal,
      }),
    )
    const picks: ModelPick[] = []
    for (const value of chosen) picks.push(chooser.pickOf(value) ?? (await this.#typed(value)))
    return picks
  }

  async workTime(current: WorkTime | undefined): Promise<WorkTime | undefined> {
    const { when } = this.#given
    if (when !== undefined) return when
    const kept = { value: 'kept', label: 'as the settings say now' } as const
    const times = WORK_TIMES.map((value) => ({ value, label: WORK_TIME_WORDS[value] }))
    const answer = await this.#answer(
      this.#clack.select<WorkTime | 'kept'>({
        message: 'Question 3 of 3: when may it work?',
        options: current === undefined ? [kept, ...times] : times,
        initialValue: current ?? 'kept',
        signal: this.#signal,
      }),
    )
    return answer === 'kept' ? undefined : answer
  }

  /** A model that no list has. */
  async #typed(what: string): Promise<ModelPick> {
    const message =
      what === 'file' ? 'Path of the GGUF file' : 'Address: https://… or hf:user/repo:quantization'
    const text = await this.#answer(
      this.#clack.text({
        message,
        validate: (text = '') => (text.trim() === '' ? 'Type it, or press Ctrl-C.' : undefined),
        signal: this.#signal,
      }),
    )
    return { source: 'reference', text: text.trim() }
  }

  async #answer<Value>(asked: Promise<Value | typeof Clack.CANCEL_SYMBOL>): Promise<Value> {
    const answer = await asked
    if (this.#clack.isCancel(answer)) throw setupInterrupted()
    return answer
  }
}

/** An address without `http://` or `https://` is meant to be safe. */
function parseAddress(text: string): string {
  const trimmed = text.trim()
  const url = parseOrcUrl(/^[a-z]+:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`)
  if (url === undefined) throw invalidAddress()
  return url
}

function problemOf(parse: () => unknown): string | undefined {
  try {
    parse()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : 'give another one'
  }
}
