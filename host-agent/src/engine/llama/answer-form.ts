import type { ChatPayload } from '@daisi/protocol'
import { type LlamaGrammar, LlamaGrammarEvaluationState, type LlamaModel, type Token } from 'node-llama-cpp'
import type { ChatJob, EngineRefusal } from '../engine.ts'
import { AnswerReader } from '../output/answer-reader.ts'
import { Detokenizer } from '../output/detokenizer.ts'
import type { CallSyntax } from '../output/call-syntax.ts'
import type { Piece } from '../output/piece.ts'
import { CALL_RULE, type CallGrammars } from './call-grammar.ts'
import type { ChatTemplate } from './chat-template.ts'
import { formatGrammar, openGrammar, type WrittenGrammar } from './grammar.ts'
import type { GrammarTrial } from './grammar-trial.ts'
import { acceptTokens } from './native.ts'

/** The rule of a format that a call may take the place of. */
const FORMAT_OR_CALL = 'format-or-call'

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

/**
 * The form of one answer: which grammar holds for its next token, and what its text means. The format of the text holds from the start; once the model has begun a call, the call's grammar
 * takes its place until the call is written.
 */
export class AnswerForm {
  readonly reader: AnswerReader | undefined
  readonly #model: LlamaModel
  readonly #calls: LlamaGrammar | undefined
  #text: LlamaGrammarEvaluationState | undefined
  #call: LlamaGrammarEvaluationState | undefined

  private constructor(
    model: LlamaModel,
    grammars: { readonly text?: LlamaGrammar; readonly calls?: LlamaGrammar },
    reader?: AnswerReader,
  ) {
    this.#model = model
    this.#calls = grammars.calls
    const { text: grammar } = grammars
    if (grammar !== undefined) this.#text = new LlamaGrammarEvaluationState({ model, grammar })
    this.reader = reader
    this.#follow()
  }

  static async open(job: ChatJob, context: FormContext): Promise<AnswerForm | EngineRefusal> {
    const { model, template, trial, callGrammars } = context
    const { calls } = template
    const format = job.output && formatOf(job, calls)
    if (format !== undefined && 'code' in format) return format
    const call = job.tools && callGrammars.for(job.tools, job.toolChoice)
    if (call?.ok === false) return call.refusal
    const opened = {
      text: format && (await openGrammar(model, format, trial)),
      calls: call && (await openGrammar(model, { gbnf: call.gbnf, rule: CALL_RULE, field: 'tools' }, trial)),
    }
    if (opened.text?.ok === false) return opened.text.refusal
    if (opened.calls?.ok === false) return opened.calls.refusal
    const grammars = {
      ...(opened.text && { text: opened.text.grammar }),
      ...(opened.calls && { calls: opened.calls.grammar }),
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
  readonly state = (): LlamaGrammarEvaluationState | undefined => this.#call ?? this.#text

  /** Reads a piece of the answer; returns what of it, and of those held before, is clear. */
  read(piece: Piece): readonly Piece[] {
    if (this.reader === undefined) return [piece]
    const pieces = this.reader.push(piece)
    return this.#follow() ? pieces : [...pieces, ...this.reader.giveCallUp()]
  }

  /** Brings the grammar to where the reader is; false if what was written of a call fits none. */
  #follow(): boolean {
    const text = this.reader?.callText
    if (text === undefined || this.#calls === undefined) {
      if (this.#call !== undefined) this.#text = undefined
      this.#call = undefined
      return true
    }
    if (this.#call !== undefined) return true
    const state = new LlamaGrammarEvaluationState({ model: this.#model, grammar: this.#calls })
    if (!acceptTokens(state, this.#model, this.#model.tokenize(text))) return false
    this.#call = state
    return true
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
function formatOf(job: ChatJob, { open }: CallSyntax): WrittenGrammar | EngineRefusal | undefined {
  if (job.output === undefined || begins(job) === 'call') return undefined
  const written = formatGrammar(job.output)
  if (!written.ok) return written.refusal
  if (job.tools === undefined) return { gbnf: written.gbnf, rule: 'root', field: 'output' }
  const either = open === '' ? 'root' : `root | ${JSON.stringify(open)}`
  return { gbnf: `${written.gbnf}\n${FORMAT_OR_CALL} ::= ${either}\n`, rule: FORMAT_OR_CALL, field: 'output' }
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
