// pi, a coding agent for the terminal, headless: it lets the model read a file of a project, by a tool of its own.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const baseUrl = process.env['DAISI_BASE_URL'] ?? 'http://127.0.0.1:8787/v1'
const apiKey = process.env['DAISI_API_KEY'] ?? ''
const pi = join(import.meta.dirname, 'node_modules/@mariozechner/pi-coding-agent/dist/cli.js')

/** How pi is told of an Orc: `~/.pi/agent/models.json`, or the folder that `PI_CODING_AGENT_DIR` names. */
const models = {
  providers: {
    daisi: {
      baseUrl,
      apiKey,
      api: 'openai-completions',
      models: [
        {
          id: 'daisi-nano',
          name: 'daisi-nano',
          contextWindow: 2_048,
          maxTokens: 400,
          input: ['text'],
          reasoning: false,
          cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
        },
      ],
    },
  },
}

const folder = await mkdtemp(join(tmpdir(), 'daisi-pi-'))
try {
  await writeFile(join(folder, 'models.json'), JSON.stringify(models))
  await writeFile(join(folder, 'notes.txt'), 'The secret word of this project is marigold.\n')
  const args = ['--provider', 'daisi', '--model', 'daisi-nano', '--mode', 'json', '--tools', 'read,ls']
  // Its own instructions are longer than the context of daisi-nano: larger models keep them.
  args.push(
    '--system-prompt',
    'You are a helpful assistant.',
    '--no-session',
    '--no-context-files',
    '--no-skills',
  )
  const env = { ...process.env, PI_CODING_AGENT_DIR: folder, PI_OFFLINE: '1', PI_TELEMETRY: '0' }
  const running = promisify(execFile)(process.execPath, [pi, ...args, '-p', 'Read the file notes.txt'], {
    cwd: folder,
    env,
  })
  running.child.stdin?.end()
  const events = (await running).stdout.split('\n').filter((line) => line.startsWith('{'))
  const messages = events
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'message_end')
    .flatMap(({ message }) => message.content)
  for (const { type, name, arguments: input, text } of messages)
    console.log(type === 'toolCall' ? `${name} ${JSON.stringify(input)}` : `${type}: ${text}`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
