import type { ChatPayload, ChatTurn, ReasoningEffort, ToolDefinition } from '@daisi/protocol'
import { Template } from '@huggingface/jinja'
import { type LlamaModel, LlamaText, SpecialTokensText, type Token } from 'node-llama-cpp'
import { BARE_CALLS, type CallSyntax, TAGGED_CALLS, THINK_CLOSE, THINK_OPEN } from '../output/call-syntax.ts'
import { ContentMarks } from './content-marks.ts'
import type { Prompt } from './prompt.ts'
import { withCallsAsText, withSystemInUser } from './template-fallbacks.ts'

/** ChatML, for models whose file has no template that can be rendered. */
const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

const PROBE_CALL = { name: 'probe_name', arguments: '{"probe_key":"probe_value"}' }

type Conversation = Pick<ChatPayload, 'messages' | 'tools' | 'reasoningEffort'>

/**
 * How a model wants its conversations written: by the template in its own file (Jinja, as Hugging Face's transformers render it). Text inside of messages stays text, whatever it looks
 * like, and no default system message is added.
 */
export class ChatTemplate {
  /** How the model writes calls of tools. */
  readonly calls: CallSyntax
  /** True if it marks what it thinks. */
  readonly thinks: boolean
  readonly #model: LlamaModel
  readonly #template: Template
  readonly #marks: ContentMarks
  /** True if tools and calls are written by the template, false if they are to be text of messages. */
  readonly #hasTools: boolean
  readonly #foldsSystem: boolean
  readonly #stop: Pick<Prompt, 'stopTokens' | 'stopTexts'>

  constructor(model: LlamaModel) {
    this.#model = model
    this.#marks = new ContentMarks(model)
    const { chat_template: source } = model.fileInfo.metadata.tokenizer as {
      readonly chat_template?: unknown
    }
    const own = typeof source === 'string' ? source : undefined
    this.#template = this.#usable(own) ?? new Template(CHATML)
    this.#foldsSystem = !this.#renders([
      { role: 'system', content: 'a' },
      { role: 'user', content: 'b' },
    ])
    const calls = own === undefined ? undefined : this.#ownCalls()
    this.#hasTools = calls !== undefined
    this.calls = calls ?? TAGGED_CALLS
    const { tokens } = model.fileInfo.metadata.tokenizer.ggml
    this.thinks = own?.includes(THINK_OPEN) === true || tokens.includes(THINK_OPEN)
    this.#stop = this.#findStop()
  }

  /** Throws if the template does not accept the messages, with an error that may quote them. */
  write(conversation: Conversation): Prompt {
    const text = this.#render(conversation, true)
    const tokens = this.#tokenize(text)
    const opensThought = this.thinks && text.trimEnd().endsWith(THINK_OPEN)
    return { tokens, opensThought, ...this.#stop }
  }

  /** What the model would have written itself to begin a call, at the end of a thought that the prompt has opened. */
  callOpening(opensThought: boolean): readonly Token[] {
    const { open } = this.calls
    const text = `${opensThought ? `${THINK_CLOSE}\n\n` : ''}${open === '' ? '' : `${open}\n`}`
    return text === '' ? [] : this.#model.tokenize(text, true)
  }

  #render({ messages, tools, reasoningEffort }: Conversation, isPrompt: boolean): string {
    const spoken = this.#foldsSystem ? withSystemInUser(messages) : messages
    const written = this.#hasTools ? { messages: spoken, tools } : withCallsAsText(spoken, tools, this.calls)
    return this.#renderPlain(written.messages, written.tools, isPrompt, reasoningEffort)
  }

  #renderPlain(
    messages: readonly ChatTurn[],
    tools: readonly ToolDefinition[] | undefined,
    isPrompt: boolean,
    effort?: ReasoningEffort,
    template = this.#template,
  ): string {
    const { bosString, eosString } = this.#model.tokens
    const names = new Map(
      messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id, name }) => [id, name])),
    )
    return template.render({
      messages: messages.map((turn) => this.#message(turn, names)),
      ...(tools !== undefined && { tools: tools.map((tool) => this.#marks.guard(functionOf(tool))) }),
      add_generation_prompt: isPrompt,
      bos_token: bosString ?? '',
      eos_token: eosString ?? '',
      ...(effort !== undefined && { enable_thinking: effort !== 'none', reasoning_effort: effort }),
    })
  }

  /** A message as templates expect it. `names` has those of calls by their ids. */
  #message(turn: ChatTurn, names: ReadonlyMap<string, string>): Record<string, unknown> {
    const { role, content, toolCalls, toolCallId, reasoning } = turn
    const called = toolCallId === undefined ? undefined : names.get(toolCallId)
    return {
      role,
      content: this.#marks.mark(content),
      ...(reasoning !== undefined && { reasoning_content: this.#marks.mark(reasoning) }),
      ...(toolCalls !== undefined && {
        tool_calls: toolCalls.map((call) => ({
          id: this.#marks.guard(call.id),
          type: 'function',
          function: { name: call.name, arguments: this.#marks.guard(argumentsOf(call)) },
        })),
      }),
      ...(toolCallId !== undefined && { tool_call_id: this.#marks.guard(toolCallId) }),
      ...(called !== undefined && { name: called }),
    }
  }

  #tokenize(text: string): Token[] {
    const values = this.#marks
      .split(text)
      .map(({ text: part, isContent }) => (isContent ? part : new SpecialTokensText(part)))
    const tokens = LlamaText(values).tokenize(this.#model.tokenizer)
    const { bos, shouldPrependBosToken } = this.#model.tokens
    return shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens
  }

  #usable(source: string | undefined): Template | undefined {
    if (source === undefined) return undefined
    try {
      const template = new Template(source)
      const text = this.#renderPlain([{ role: 'user', content: 'a' }], undefined, true, undefined, template)
      return text.includes('a') ? template : undefined
    } catch {
      return undefined
    }
  }

  #renders(messages: readonly ChatTurn[]): boolean {
    try {
      const text = this.#renderPlain(messages, undefined, true)
      return messages.every(({ content }) => text.includes(this.#marks.mark(content)))
    } catch {
      return false
    }
  }

  /** How the template itself writes a call; undefined if it knows none, or writes it in a way that is not read here. */
  #ownCalls(): CallSyntax | undefined {
    const tool = { name: PROBE_CALL.name, parameters: { type: 'object', properties: {} } }
    const turns: ChatTurn[] = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'call00001', ...PROBE_CALL }] },
      { role: 'tool', content: 'b', toolCallId: 'call00001' },
    ]
    try {
      const text = this.#renderPlain(turns, [tool], false)
      const [asked = '', answered = ''] = text.split(this.#marks.mark('a'))
      if (!text.includes(this.#marks.mark('b'))) return undefined
      // Some write the tools before the question, others after it.
      if (!asked.includes(PROBE_CALL.name) && answered.split(PROBE_CALL.name).length < 3) return undefined
      const call = answered.slice(0, answered.indexOf('probe_value'))
      if (!call.includes('probe_key')) return undefined
      if (/<tool_call>\s*\{\s*"name":\s*"probe_name",\s*"arguments":/.test(call)) return TAGGED_CALLS
      return /\{\s*"name":\s*"probe_name",\s*"parameters":/.test(call) ? BARE_CALLS : undefined
    } catch {
      return undefined
    }
  }

  /** What stands between an answer and the next question. */
  #findStop(): Pick<Prompt, 'stopTokens' | 'stopTexts'> {
    const none = { stopTokens: new Set<Token>(), stopTexts: [] }
    const turns: ChatTurn[] = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ]
    if (!this.#renders(turns)) return none
    const [, after = ''] = this.#renderPlain(turns, undefined, false).split(this.#marks.mark('b'))
    const [between = ''] = after.split(this.#marks.mark('c'))
    const [first] = this.#model.tokenize(between, true)
    if (first === undefined) return none
    if (this.#model.isSpecialToken(first) || this.#model.isEogToken(first))
      return { ...none, stopTokens: new Set([first]) }
    const text = between.trim()
    return text === '' ? none : { ...none, stopTexts: [text] }
  }
}

/** A tool as templates expect it. */
function functionOf({ name, description = '', parameters }: ToolDefinition): Record<string, unknown> {
  return {
    type: 'function',
    function: { name, description, parameters: parameters ?? { type: 'object', properties: {} } },
  }
}

/** A call without arguments may come with no text for them. */
function argumentsOf({ arguments: text }: { readonly arguments: string }): unknown {
  return JSON.parse(text === '' ? '{}' : text)
}
