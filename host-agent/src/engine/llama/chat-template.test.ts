import type { ChatPayload, ChatTurn, OutputPart, ToolDefinition } from '@daisi/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { engineJob } from '../../testing/engine-run.ts'
import { MODEL_PATH } from '../../testing/model.ts'
import type { ChatJob, EngineEvent } from '../engine.ts'
import { BARE_CALLS, TAGGED_CALLS } from '../output/call-syntax.ts'
import { AnswerModel } from './answer-model.ts'
import { ChatTemplate } from './chat-template.ts'
import { loadModel, type LoadedModel } from './load.ts'
import { LOAD_TIMEOUT_MS } from './testing/served.ts'

/** Turns between plain marks, as text: no special tokens, so that all of it can be read again. */
const PLAIN =
  "{% for message in messages %}[{{ message.role }}]{{ message.content }}{% endfor %}{{ '[assistant]' }}"
const THINKING = `${PLAIN}{{ '<think>\\n' if enable_thinking != false else '<think></think>' }}`
const STRICT = `{% if messages[0].role != 'user' %}{{ raise_exception('no ' + messages[0].role) }}{% endif %}${PLAIN}`
const LLAMA = `{% for tool in tools or [] %}{{ tool | tojson }}{% endfor %}{% for message in messages %}[{{ message.role }}]{% if message.tool_calls %}{% set call = message.tool_calls[0].function %}{"name": "{{ call.name }}", "parameters": {{ call.arguments | tojson }}}{% else %}{{ message.content }}{% endif %}{% endfor %}{{ '[assistant]' }}`

const question: ChatTurn = { role: 'user', content: 'Weather?' }
const weather: ToolDefinition = {
  name: 'get_weather',
  parameters: { type: 'object', properties: { city: { type: 'string', maxLength: 8 } }, required: ['city'] },
}
const output = {
  type: 'json-schema' as const,
  schema: { type: 'object', properties: { sure: { type: 'boolean' } }, required: ['sure'] },
}

let loaded: LoadedModel
let own: unknown

beforeAll(async () => {
  loaded = await loadModel({ modelPath: MODEL_PATH, slots: 1, gpu: false })
  own = tokenizer().chat_template
}, LOAD_TIMEOUT_MS)
afterAll(() => loaded.model.llama.dispose())

function tokenizer(): { chat_template?: unknown } {
  return loaded.model.fileInfo.metadata.tokenizer
}

/** Something made of the bundled model as if its file had another template. */
async function withTemplate<T>(source: string | undefined, make: () => T | Promise<T>): Promise<T> {
  tokenizer().chat_template = source
  try {
    return await make()
  } finally {
    tokenizer().chat_template = own
  }
}

function templateOf(source: string | undefined): Promise<ChatTemplate> {
  return withTemplate(source, () => new ChatTemplate(loaded.model))
}

async function written(source: string | undefined, conversation: Partial<ChatPayload>): Promise<string> {
  const template = await templateOf(source)
  const { tokens } = template.write({ messages: [question], ...conversation })
  return loaded.model.detokenize(tokens, true)
}

describe('templates', () => {
  const call: ChatTurn = {
    role: 'assistant',
    content: '',
    toolCalls: [{ id: 'c1', name: 'get_weather', arguments: '{"city":"Oslo"}' }],
  }
  const result: ChatTurn = { role: 'tool', content: 'rain', toolCallId: 'c1' }

  test('the syntax of calls is the one that the template writes', async () => {
    expect((await templateOf(LLAMA)).calls).toBe(BARE_CALLS)
    expect((await templateOf(PLAIN)).calls).toBe(TAGGED_CALLS)
    expect(await written(LLAMA, { messages: [question, call, result], tools: [weather] })).toContain(
      '[user]Weather?[assistant]{"name": "get_weather", "parameters": {"city": "Oslo"}}[tool]rain[assistant]',
    )
  })

  test('where it knows no tools, they and their calls are text', async () => {
    const text = await written(PLAIN, {
      messages: [question, call, result, { ...result, content: 'snow' }],
      tools: [weather],
    })
    expect(text).toMatch(/^\[system\][^]*"name":"get_weather"[^]*\[user\]Weather\?/)
    expect(text).toContain(
      '[assistant]<tool_call>\n{"name": "get_weather", "arguments": {"city":"Oslo"}}\n</tool_call>[user]<tool_response>\nrain\n</tool_response>\n<tool_response>\nsnow\n</tool_response>[assistant]',
    )
  })

  test('a call whose arguments are no text at all has none', async () => {
    const bare = { ...call, toolCalls: [{ id: 'c1', name: 'get_weather', arguments: '' }] }
    expect(await written(LLAMA, { messages: [question, bare], tools: [weather] })).toContain(
      '"parameters": {}}',
    )
    expect(await written(PLAIN, { messages: [question, bare], tools: [weather] })).toContain(
      '"arguments": {}}',
    )
  })

  test('where it takes no system message, that comes before the question', async () => {
    const text = await written(STRICT, { messages: [{ role: 'system', content: 'Be brief.' }, question] })
    expect(text).toBe('[user]Be brief.\n\nWeather?[assistant]')
  })

  test('one that cannot be read is taken for ChatML', async () => {
    for (const source of [undefined, '{% if %}', '{{ raise_exception("no") }}'])
      expect(await written(source, {})).toBe('<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n')
  })

  test('effort decides whether it opens a thought', async () => {
    const template = await templateOf(THINKING)
    expect(template.thinks).toBe(true)
    expect(template.write({ messages: [question] }).opensThought).toBe(true)
    expect(template.write({ messages: [question], reasoningEffort: 'none' }).opensThought).toBe(false)
    expect((await templateOf(PLAIN)).thinks).toBe(false)
  })
})

describe('answers', () => {
  let models: Readonly<Record<'thinking' | 'llama', AnswerModel>>

  beforeAll(async () => {
    models = {
      thinking: await withTemplate(THINKING, () => AnswerModel.open(loaded)),
      llama: await withTemplate(LLAMA, () => AnswerModel.open(loaded)),
    }
  })
  afterAll(() => {
    models.thinking.close()
    models.llama.close()
  })

  async function ask(
    source: keyof typeof models,
    more: Partial<ChatPayload> & { readonly said?: string },
  ): Promise<{ readonly parts: readonly OutputPart[]; readonly last: EngineEvent | undefined }> {
    const { said = '', ...payload } = more
    const answers = models[source]
    const events: EngineEvent[] = []
    const job: ChatJob = { ...engineJob('Weather?', { maxTokens: 60 }), ...payload }
    const continuation = said === '' ? [] : loaded.model.tokenize(said)
    await answers.run({ ...job, continuation }, new AbortController().signal, (event) => events.push(event))
      .done
    const parts = events
      .filter((event) => event.type === 'delta')
      .flatMap(({ parts: many, text }): readonly OutputPart[] => many ?? [{ type: 'text', text }])
    return { parts, last: events.at(-1) }
  }

  function textOf(parts: readonly OutputPart[], type: 'text' | 'reasoning'): string {
    return parts.map((part) => (part.type === type ? part.text : '')).join('')
  }

  test('a thought is held to no format, what follows it is', async () => {
    const thinking = await ask('thinking', { output })
    expect(textOf(thinking.parts, 'reasoning')).not.toMatch(/^\s*\{"sure"/)
    expect(textOf(thinking.parts, 'reasoning')).not.toBe('')
    const { parts, last } = await ask('thinking', { output, said: 'Hm, well.\n</think>' })
    expect(JSON.parse(textOf(parts, 'text'))).toEqual({ sure: expect.any(Boolean) })
    expect(last).toMatchObject({ type: 'end', finishReason: 'stop' })
  })

  test('a thought may begin where the format would', async () => {
    const effort = { output, reasoningEffort: 'none' } as const
    const { parts } = await ask('thinking', { ...effort, said: '<think>Hm.</think>' })
    expect(JSON.parse(textOf(parts, 'text'))).toEqual({ sure: expect.any(Boolean) })
    expect((await ask('thinking', { ...effort, said: 'Hm.' })).last).toMatchObject({
      type: 'refused',
      refusal: { code: 'invalid_payload', field: 'continuation' },
    })
  })

  test('a call that is required ends the thought that the prompt has opened', async () => {
    const { parts, last } = await ask('thinking', { tools: [weather], toolChoice: 'required' })
    expect(textOf(parts, 'reasoning')).toBe('')
    expect(parts[0]).toMatchObject({ type: 'tool-call', name: 'get_weather' })
    expect(last).toMatchObject({ finishReason: 'tool-calls' })
  })

  test('calls without a mark are made where they are wanted, and do not go with a format', async () => {
    const { parts, last } = await ask('llama', { tools: [weather], toolChoice: 'required' })
    expect(parts[0]).toMatchObject({ type: 'tool-call', name: 'get_weather' })
    expect(last).toMatchObject({ finishReason: 'tool-calls' })
    const both = await ask('llama', { tools: [weather], output })
    expect(both.last).toMatchObject({ refusal: { code: 'invalid_payload', field: 'output' } })
  })
})
