import { expect, test } from 'vitest'
import { errorOf } from '../test/client.ts'
import { call, ScriptedChat } from '../test/scripted-chat.ts'
import { textField } from '../test/schemas.ts'
import { tool } from './tool.ts'
import { runTools } from './tools.ts'

const request = { model: 'm', messages: [{ role: 'user' as const, content: 'Weather?' }] }
const weather = tool({
  name: 'get_weather',
  description: 'Get the weather',
  parameters: textField('city'),
  run: ({ city }) => ({ city, degrees: 21 }),
})

test('a tool is run with what its schema made of the arguments, and its result goes back as JSON', async () => {
  const chat = new ScriptedChat([
    { tool_calls: [call('a', 'get_weather', { city: 'Paris' })] },
    { content: 'Sunny.' },
  ])
  const { text, messages, completions } = await runTools(chat, { ...request, tools: [weather] })
  expect(text).toBe('Sunny.')
  expect(completions).toHaveLength(2)
  expect(messages.slice(1)).toEqual([
    { role: 'assistant', content: null, tool_calls: [call('a', 'get_weather', { city: 'Paris' })] },
    { role: 'tool', tool_call_id: 'a', content: '{"city":"PARIS","degrees":21}' },
    { role: 'assistant', content: 'Sunny.' },
  ])
  expect(chat.asked[0]?.tools).toEqual([
    {
      type: 'function',
      function: {
        name: 'get_weather',
        description: 'Get the weather',
        parameters: { type: 'object', properties: { city: { type: 'string' } } },
      },
    },
  ])
})

test.for([
  ['a tool that is not there', call('a', 'nothing', {}), /no tool nothing/],
  ['arguments that are no JSON', call('a', 'get_weather', '{'), /^Error/],
  ['arguments that do not fit', call('a', 'get_weather', {}), /city is wrong/],
  ['a tool that throws', call('a', 'broken', {}), /out of order/],
] as const)('%s is told to the model', async ([, made, message]) => {
  const broken = tool({ name: 'broken', run: () => Promise.reject(new Error('out of order')) })
  const chat = new ScriptedChat([{ tool_calls: [made] }, { content: 'Sorry.' }])
  const results: string[] = []
  const onResult = (_: unknown, content: string): number => results.push(content)
  expect((await runTools(chat, { ...request, tools: [weather, broken], onResult })).text).toBe('Sorry.')
  expect(results).toEqual([expect.stringMatching(message)])
})

test('calls of one answer run together, and their results keep the order', async () => {
  const order: string[] = []
  const gate = Promise.withResolvers<void>()
  const slow = tool({
    name: 'slow',
    run: async () => {
      await gate.promise
      order.push('slow')
      return 'one'
    },
  })
  const quick = tool({
    name: 'quick',
    run: () => {
      order.push('quick')
      gate.resolve()
      return 'two'
    },
  })
  const chat = new ScriptedChat([
    { tool_calls: [call('a', 'slow', {}), call('b', 'quick', {})] },
    { content: '' },
  ])
  const { messages } = await runTools(chat, { ...request, tools: [slow, quick] })
  expect(order).toEqual(['quick', 'slow'])
  expect(messages.filter(({ role }) => role === 'tool').map(({ content }) => content)).toEqual(['one', 'two'])
})

test('a choice that asks for a call asks once', async () => {
  const chat = new ScriptedChat([
    { tool_calls: [call('a', 'get_weather', { city: 'x' })] },
    { content: 'Done.' },
  ])
  await runTools(chat, { ...request, tools: [weather], tool_choice: 'required' })
  expect(chat.asked.map(({ tool_choice: choice }) => choice)).toEqual(['required', 'auto'])
})

test('a model that goes on calling is stopped', async () => {
  const turn = { tool_calls: [call('a', 'get_weather', { city: 'x' })] }
  const chat = new ScriptedChat([turn, turn, turn])
  const error = await errorOf(runTools(chat, { ...request, tools: [weather], maxTurns: 2 }))
  expect(error.code).toBe('max_turns_exceeded')
  expect(chat.asked).toHaveLength(2)
})

test('giving up ends the run, also while a tool runs that does not heed it', async () => {
  const abort = new AbortController()
  let seen: AbortSignal | undefined
  const deaf = tool({
    name: 'deaf',
    run: (_, { signal }) => {
      seen = signal
      abort.abort()
      return new Promise(() => undefined)
    },
  })
  const chat = new ScriptedChat([{ tool_calls: [call('a', 'deaf', {})] }])
  const run = runTools(chat, { ...request, tools: [deaf] }, { signal: abort.signal })
  expect((await errorOf(run)).code).toBe('aborted')
  expect(seen?.aborted).toBe(true)
  expect(chat.asked).toHaveLength(1)
})

test('what onError throws ends the run, and tools that still run are told', async () => {
  const told = Promise.withResolvers<void>()
  const waiting = tool({
    name: 'waiting',
    run: (_, { signal }) => {
      signal.addEventListener('abort', () => told.resolve())
      return told.promise
    },
  })
  const fault = new Error('out of order')
  const broken = tool({ name: 'broken', run: () => Promise.reject(fault) })
  const chat = new ScriptedChat([{ tool_calls: [call('a', 'waiting', {}), call('b', 'broken', {})] }])
  const onError = (error: unknown): never => {
    throw error
  }
  await expect(runTools(chat, { ...request, tools: [waiting, broken], onError })).rejects.toBe(fault)
  await told.promise
})

test('a JSON Schema alone is sent, and a call without arguments is one without fields', async () => {
  const parameters = { type: 'object', properties: {} }
  const inputs: unknown[] = []
  const now = tool<unknown>({ name: 'now', parameters, run: (input) => inputs.push(input) })
  const chat = new ScriptedChat([{ tool_calls: [call('a', 'now', '')] }, { content: 'Noon.' }])
  expect((await runTools(chat, { ...request, tools: [now] })).text).toBe('Noon.')
  expect(inputs).toEqual([{}])
  expect(chat.asked[0]?.tools?.[0]?.function.parameters).toEqual(parameters)
})

test('the model is told where its arguments do not fit', async () => {
  const issues = [{ message: 'expected number', path: ['stops', 0, { key: 'line' }] }]
  const schema = { '~standard': { version: 1 as const, vendor: 'x', validate: () => ({ issues }) } }
  const plan = tool({ name: 'plan', parameters: { schema, jsonSchema: { type: 'object' } }, run: () => '' })
  const results: string[] = []
  const chat = new ScriptedChat([{ tool_calls: [call('a', 'plan', {})] }, { content: '' }])
  await runTools(chat, { ...request, tools: [plan], onResult: (_, content) => results.push(content) })
  expect(results).toEqual(['Error: the arguments do not fit: stops.0.line: expected number'])
})

test('[K2] each answer of a run with a name has one of its own', async () => {
  const keys: unknown[] = []
  const chat = new ScriptedChat([{ tool_calls: [call('a', 'get_weather', { city: 'x' })] }, { content: '' }])
  const create: ScriptedChat['create'] = (asked, options) => {
    keys.push(options?.idempotencyKey)
    return chat.create(asked)
  }
  const named = { idempotencyKey: 'trip' }
  await runTools({ create, stream: () => chat.stream() }, { ...request, tools: [weather] }, named)
  expect(keys).toEqual(['trip-0', 'trip-1'])
})

test('a schema without a JSON Schema is refused before anything is sent', async () => {
  const schema = {
    '~standard': { version: 1 as const, vendor: 'x', validate: (value: unknown) => ({ value }) },
  }
  const chat = new ScriptedChat([])
  const error = await errorOf(
    runTools(chat, { ...request, tools: [tool({ name: 'f', parameters: schema, run: () => '' })] }),
  )
  expect(error).toMatchObject({ code: 'invalid_request', param: 'tools' })
})
