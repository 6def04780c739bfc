import type { ChatPayload } from '@daisi/protocol'
import { type LlamaGrammar, LlamaGrammarEvaluationState, type LlamaModel, type Token } from 'node-llama-cpp'
import type { ChatJob, EngineRefusal } from '../engine.ts'
import { AnswerReader } from '../output/answer-reader.ts'
import { Detokenizer } from '../output/detokenizer.ts'
import { THINK_OPEN } from '../output/call-syntax.ts'
import type { Piece } from '../output/piece.ts'
import { CALL_RULE, type CallGrammars } from './call-grammar.ts'
import type { ChatTemplate } from './chat-template.ts'
import { formatGrammar, openGrammar, type WrittenGrammar } from './grammar.ts'
import type { GrammarTrial } from './grammar-trial.ts'
import { acceptTokens } from './native.ts'

/** Rules of a format that a call may take the place of, and before which the model may think. */
const FORMAT_OR_CALL = 'format-or-call'
const FORMAT_OR_THOUGHT = 'format-or-thought'

const AMBIGUOUS: EngineRefusal = {
  code: 'invalid_payload',
  field: 'output',
  message:
    'this model writes calls as JSON without a mark, so that they cannot be told from an answer in a format; leave out the format or the tools',
}

/** What a chat's answer is held to and how it is read. */
export interface FormContext {
  readonly model: LlamaModel
  readonly template: ChatTemplate
  readonly trial: GrammarTrial
  readonly callGrammars: CallGrammars
  /** Text of tokens, marks included. */
  readonly detokenize: (ids: readonly number[]) => string
  /** True if the prompt has opened a thought. */
  readonly opensThought: boolean
}

interface FormGrammars {
  /** In force at first, if not `format`: the model may think before. */
  readonly first?: LlamaGrammar
  readonly format?: LlamaGrammar
  readonly calls?: LlamaGrammar
}

/**
 * The form of one answer: which grammar holds for its next token, and what its text means. The format of the text holds from the start; once the model has begun a call, the call's grammar
 * takes its place until the call is written. Thoughts are held to nothing.
 */
export class AnswerForm {
  readonly reader: AnswerReader | undefined
  readonly #model: LlamaModel
  readonly #format: LlamaGrammar | undefined
  readonly #calls: LlamaGrammar | undefined
  #text: LlamaGrammarEvaluationState | undefined
  #isThought = false
  #call: LlamaGrammarEvaluationState | undefined

  private constructor(model: LlamaModel, { first, format, calls }: FormGrammars, reader?: AnswerReader) {
    this.#model = model
    this.#calls = calls
    this.#format = format
    this.#text = this.#begin(first ?? format)
    this.reader = reader
    this.#follow()
  }

  static async open(job: ChatJob, context: FormContext): Promise<AnswerForm | EngineRefusal> {
    const { model, template, trial, callGrammars } = context
    const format = job.output && formatOf(job, template)
    if (format !== undefined && 'code' in format) return format
    const call = job.tools && callGrammars.for(job.tools, job.toolChoice)
    if (call?.ok === false) return call.refusal
    const wanted = {
      first: format && template.thinks && { ...format, rule: FORMAT_OR_THOUGHT },
      format,
      calls: call && ({ gbnf: call.gbnf, rule: CALL_RULE, field: 'tools' } as const),
    }
    const grammars: { -readonly [Each in keyof FormGrammars]: FormGrammars[Each] } = {}
    for (const each of ['first', 'format', 'calls'] as const) {
      const written = wanted[each]
      if (!written) continue
      const opened = await openGrammar(model, written, trial)
      if (!opened.ok) return opened.refusal
      grammars[each] = opened.grammar
    }
    const form = new AnswerForm(model, grammars, readerOf(job, context))
    return form.#resume(job.continuation as readonly Token[], context.detokenize)
  }

  /** A text as it comes. */
  static plain(model: LlamaModel): AnswerForm {
    return new AnswerForm(model, {})
  }

  /** True if a grammar may hold at some token. */
  get hasGrammar(): boolean {
    return this.#text !== undefined || this.#calls !== undefined
  }

  /** The grammar that the next token has to fit, or undefined. */
  readonly state = (): LlamaGrammarEvaluationState | undefined =>
    this.#call ?? (this.#isThought ? undefined : this.#text)

  /** Reads a piece of the answer; returns what of it, and of those held before, is clear. */
  read(piece: Piece): readonly Piece[] {
    if (this.reader === undefined) return [piece]
    const pieces = this.reader.push(piece)
    return this.#follow() ? pieces : [...pieces, ...this.reader.giveCallUp()]
  }

  /** Brings the grammar to where the reader is; false if what was written of a call fits none. */
  #follow(): boolean {
    const wasThought = this.#isThought
    this.#isThought = this.reader?.isThought === true
    // What came before the thought was none of the format.
    if (wasThought && !this.#isThought && this.#text !== undefined) this.#text = this.#begin(this.#format)
    const text = this.reader?.callText
    if (text === undefined || this.#calls === undefined) {
      if (this.#call !== undefined) this.#text = undefined
      this.#call = undefined
      return true
    }
    if (this.#call !== undefined) return true
    const state = this.#begin(this.#calls)
    if (state === undefined || !acceptTokens(state, this.#model, this.#model.tokenize(text))) return false
    this.#call = state
    return true
  }

  #begin(grammar: LlamaGrammar | undefined): LlamaGrammarEvaluationState | undefined {
    return grammar && new LlamaGrammarEvaluationState({ model: this.#model, grammar })
  }

  #resume(
    continuation: readonly Token[],
    detokenize: (ids: readonly number[]) => string,
  ): AnswerForm | EngineRefusal {
    const misfit: EngineRefusal = {
      code: 'invalid_payload',
      field: 'continuation',
      message: 'continuation does not fit the output format',
    }
    const detokenizer = new Detokenizer(detokenize)
    for (const token of continuation) {
      const state = this.state()
      if (state !== undefined && !acceptTokens(state, this.#model, [token])) return misfit
      const piece = detokenizer.push(token)
      if (piece === undefined || this.reader === undefined) continue
      this.reader.resume([piece])
      if (!this.#follow()) return misfit
    }
    return this
  }
}

/** The grammar of the text. Where the model may call instead, it may begin with the mark of a call. */
function formatOf(job: ChatJob, { calls, thinks }: ChatTemplate): WrittenGrammar | EngineRefusal | undefined {
  if (job.output === undefined || begins(job) === 'call') return undefined
  if (job.tools !== undefined && calls.open === '') return AMBIGUOUS
  const written = formatGrammar(job.output)
  if (!written.ok) return written.refusal
  if (job.tools === undefined && !thinks) return { gbnf: written.gbnf, rule: 'root', field: 'output' }
  const orCall = job.tools === undefined ? '' : ` | ${JSON.stringify(calls.open)}`
  const gbnf = `${written.gbnf}
${FORMAT_OR_CALL} ::= root${orCall}
${FORMAT_OR_THOUGHT} ::= ${FORMAT_OR_CALL} | ${JSON.stringify(THINK_OPEN)}
`
  return { gbnf, rule: FORMAT_OR_CALL, field: 'output' }
}

function readerOf(job: ChatJob, { template, opensThought }: FormContext): AnswerReader | undefined {
  const { calls, thinks } = template
  if (job.tools === undefined && !thinks) return undefined
  return new AnswerReader({
    calls: job.tools === undefined ? undefined : calls,
    thinks,
    begins: begins(job) === 'call' ? 'call' : opensThought ? 'thought' : 'text',
    isOneCall: job.parallelToolCalls === false || typeof job.toolChoice === 'object',
  })
}

/** What an answer has to begin with. */
export function begins({
  tools,
  toolChoice,
}: Pick<ChatPayload, 'tools' | 'toolChoice'>): 'call' | 'anything' {
  return tools !== undefined && toolChoice !== undefined && toolChoice !== 'auto' ? 'call' : 'anything'
}
