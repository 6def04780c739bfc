import type { CatalogueEntry } from '@daisi/protocol'
import type { LoginScreen } from './login-screen.ts'
import type { CertificatePin } from '../certificate-pin.ts'
import type { ModelProgress } from '../control/control-wire.ts'
import type { FatalError } from '../exit-codes.ts'
import type { ModelSurvey } from './model-survey.ts'
import type { WorkTime } from './work-time.ts'

/** The Orc that an owner names. */
export interface OrcAnswer {
  /** Without a slash at its end. */
  readonly url: string
  readonly pin: CertificatePin | undefined
}

/** What the question after the models is about. */
export interface ModelQuestion {
  readonly orc: string
  /** What the Orc recommends and is not here yet; empty also if it cannot be asked. */
  readonly catalogue: readonly CatalogueEntry[]
  /** What this Host serves already: ids of models, and servers. */
  readonly present: readonly string[]
  /** True for the name or the origin of a model that is served already. */
  isPresent(text: string): boolean
  /** Looks at this machine: takes a second or two. Each call looks once and no more. */
  survey(): Promise<ModelSurvey>
}

/** Something that this Host is to serve. */
export type ModelPick =
  | { readonly source: 'catalogue'; readonly entry: CatalogueEntry }
  /** See `parseModelReference`. */
  | { readonly source: 'reference'; readonly text: string }
  /** See `parseServerSpec`. */
  | { readonly source: 'server'; readonly text: string }

/** Shows how far something is that takes long. */
export interface ShownProgress {
  show(progress: ModelProgress): void
  end(): void
}

/**
 * Who answers the setup's questions: a person at a terminal, or what the command line says. Every question throws a `FatalError`
 * when there is no answer.
 */
export interface SetupAsker {
  /** True if a person answers, who waits for what takes long. */
  readonly isAttended: boolean
  /** One thing that was found or done. */
  say(text: string): void
  /** Shows that something takes a moment. */
  waiting<Value>(what: string, work: Promise<Value>): Promise<Value>
  progress(what: string): ShownProgress
  readonly loginScreen: Pick<LoginScreen, 'code' | 'problem'>
  /** An answer was no good. Returns if the same question may be asked again, and throws the error otherwise. */
  refused(error: FatalError): void
  /** Something went wrong that no answer changes. Returns if it is to be tried again, and throws the error otherwise. */
  again(error: FatalError): Promise<void>
  /** `known`: addresses of the Orcs in the configuration. */
  orc(known: readonly string[]): Promise<OrcAnswer>
  /** Whether a certificate for which no authority vouches is the Orc's. */
  trust(url: string, shown: CertificatePin): Promise<boolean>
  /** The token that enrols this Host without a login. It is given out once. */
  enrolmentToken(): string | undefined
  /** Which Network to join; undefined: the Orc's own. */
  network(networks: readonly string[]): Promise<string | undefined>
  /** Empty only if something is served already. */
  models(question: ModelQuestion): Promise<readonly ModelPick[]>
  /** Undefined: as it is. `current` is undefined if the owner has settings of another kind. */
  workTime(current: WorkTime | undefined): Promise<WorkTime | undefined>
}
