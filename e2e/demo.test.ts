import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Daisi } from 'daisi-sdk'
import OpenAI from 'openai'
import { expect, onTestFinished, test } from 'vitest'
import { Demo, emptyFolder, shellWords } from './support/demo.ts'
import { HOST_PROGRAM, repository } from './support/paths.ts'
import { descendants, stillRunning } from './support/processes.ts'
import { Program } from './support/program.ts'
import { slowModel } from './support/slow-model.ts'

const answer = 'Hello! How can I help you?'

test('--once: a chat that is paid, and the second run goes on where the first ended', async () => {
  const state = join(await emptyFolder(), 'demo')
  const first = new Demo(['--once', '--state', state])
  expect(await first.exited).toEqual({ code: 0, signal: null })
  expect(first.out.join('\n')).toContain('DAISI stands for Distributed AI Systems.')
  const [before, after] = first.balances
  const paid = before!.consumer - after!.consumer
  expect(paid).toBeGreaterThan(0)
  expect(after!.hostOwner - before!.hostOwner).toBe(paid)
  const second = new Demo(['--once', '--state', state, '--prompt', 'Hello'])
  expect(await second.exited).toEqual({ code: 0, signal: null })
  expect(second.out.join('\n')).toContain(answer)
  expect(second.balances[0]).toEqual(after)
  expect(second.balances[1]!.consumer).toBeLessThan(after!.consumer)
})

test('it stays up, and every line that it prints works', async () => {
  const state = join(await emptyFolder(), 'with space', 'demo')
  const demo = new Demo(['--state', state])
  await demo.ready()
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(demo.out[0] ?? '')?.[0]

  const [curl, target, ...options] = shellWords(demo.section('With curl')[0]!)
  expect([curl, target]).toEqual(['curl', `${url}/v1/chat/completions`])
  const values = (flag: string): string[] =>
    options.filter((_, index) => index > 0 && options[index - 1] === flag)
  const headers = values('-H').map((header): [string, string] => {
    const [name, ...value] = header.split(': ')
    return [name!, value.join(': ')]
  })
  const response = await fetch(target!, { method: 'POST', headers, body: values('-d')[0]! })
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ model: 'daisi-nano', usage: { prompt_tokens: 9 } })

  const clientOptions = (title: string): { baseURL: string; apiKey: string } => {
    const text = demo.section(title).join('\n')
    const [, baseURL = '', apiKey = ''] = /baseURL: '([^']+)', apiKey: '([^']+)'/.exec(text) ?? []
    return { baseURL, apiKey }
  }
  const request = {
    model: 'daisi-nano',
    temperature: 0,
    messages: [{ role: 'user', content: 'Hello' }],
  } as const
  const openai = new OpenAI({ ...clientOptions('With the openai client'), maxRetries: 0 })
  const completion = await openai.chat.completions.create({ ...request, messages: [...request.messages] })
  expect(completion.choices[0]?.message.content).toBe(answer)
  const daisi = new Daisi({ ...clientOptions('With the DAISI SDK'), maxRetries: 0 })
  expect(await (await daisi.chat.stream(request)).text()).toBe(answer)

  const [npx, program, ...args] = shellWords(demo.section('A second Host')[0]!)
  expect([npx, program]).toEqual(['npx', 'daisi-host'])
  const second = new Program(HOST_PROGRAM, [...args, '--log-format', 'json'])
  onTestFinished(() => second[Symbol.asyncDispose]())
  await second.printed(() => second.err.some((line) => line.includes('"event":"online"')))
  expect(await second.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(await demo.end('SIGTERM')).toEqual({ code: 0, signal: null })
})

test('npx finds the daisi-host that the demo names, without asking a registry', async () => {
  const args = ['--offline', '--no', '--', 'daisi-host', '--version']
  const { stdout } = await promisify(execFile)('npx', args, { cwd: repository })
  expect(stdout).toMatch(/^\d+\.\d+\.\d+/)
})

test('Ctrl-C lets the Host finish its stream, exits with 0 and leaves no process behind', async () => {
  const state = join(await emptyFolder(), 'demo')
  // A short context ends the demo's own chat soon.
  const demo = new Demo(['--state', state, '--model', await slowModel(384)])
  await demo.ready()
  const started = await descendants(demo.pid)
  expect(started.length).toBeGreaterThanOrEqual(3)
  const [, baseURL = '', apiKey = ''] =
    /baseURL: '([^']+)', apiKey: '([^']+)'/.exec(demo.section('With the DAISI SDK').join('\n')) ?? []
  const daisi = new Daisi({ baseURL, apiKey, maxRetries: 0 })
  const stream = await daisi.chat.stream({
    model: 'slow-12x512-384',
    temperature: 0,
    max_tokens: 300,
    messages: [{ role: 'user', content: 'Hello' }],
  })
  let pieces = 0
  for await (const _text of stream.textDeltas()) if (pieces++ === 0) demo.signal('SIGINT')
  const { choices, usage } = await stream.final()
  expect(choices[0]?.finish_reason).toBe('length')
  expect(usage.completion_tokens).toBe(300)
  expect(await demo.exited).toEqual({ code: 0, signal: null })
  await expect.poll(() => stillRunning(started)).toEqual([])
})
