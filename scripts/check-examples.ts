// Compiles the examples of the SDK: ```ts blocks of its doc comments and of the READMEs. Each is a module of its own; what it leaves to its reader
// is declared in `GLOBALS`. `node scripts/check-examples.ts` after a build.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'node_modules/.cache/examples')

/** What examples speak of and do not make. */
const GLOBALS = `
import type { ChatMessage, ChatParameters, ChatTool, Daisi as Client, DirectRequest, Middleware as Around } from 'daisi-sdk'
import type { connectDirect as connect } from 'daisi-sdk/direct'
import type * as zod from 'zod'
import type { generateText as generate } from 'ai'
declare global {
  const daisi: Client
  const Daisi: typeof import('daisi-sdk').Daisi
  const DaisiError: typeof import('daisi-sdk').DaisiError
  const Completions: typeof import('daisi-sdk').Completions
  const Responses: typeof import('daisi-sdk').Responses
  const embed: typeof import('daisi-sdk').embed
  const generateImages: typeof import('daisi-sdk').generateImages
  const quote: typeof import('daisi-sdk').quote
  const parseChat: typeof import('daisi-sdk').parseChat
  const runTools: typeof import('daisi-sdk').runTools
  const tool: typeof import('daisi-sdk').tool
  const cachedToken: typeof import('daisi-sdk').cachedToken
  const createDaisi: typeof import('daisi-sdk/ai').createDaisi
  const connectDirect: typeof connect
  const pinnedFetch: typeof import('daisi-sdk/node').pinnedFetch
  const generateText: typeof generate
  const z: typeof zod
  type Middleware = Around
  const model: string
  const messages: ChatMessage[]
  const tools: ChatTool[]
  const request: ChatParameters
  const apiKey: string
  const body: DirectRequest
  const order: { id: string }
  const error: unknown
  const session: import('daisi-sdk').Session
  function fetchWeather(city: string): Promise<unknown>
  function showTopUp(): void
}
`

const sources = [
  'README.md',
  'sdk/README.md',
  ...readdirSync(join(root, 'sdk/src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => `sdk/src/${name}`),
]

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'globals.d.ts'), GLOBALS)
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({
    extends: relative(folder, join(root, 'tsconfig.base.json')),
    compilerOptions: {
      lib: ['es2024', 'esnext.array', 'dom', 'dom.iterable', 'dom.asynciterable'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      noEmit: true,
      emitDeclarationOnly: false,
      composite: false,
      incremental: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      noUncheckedIndexedAccess: false,
      isolatedDeclarations: false,
      noImplicitAny: false,
      noPropertyAccessFromIndexSignature: false,
    },
    include: ['*.ts'],
  }),
)

let count = 0
for (const source of sources) {
  for (const [, block = ''] of readFileSync(join(root, source), 'utf8').matchAll(/```ts\n([^]*?)```/g)) {
    const code = block.replaceAll(/^ *\* ?/gm, '')
    const name = `${source.replaceAll(/[^a-z0-9]+/gi, '-')}-${++count}.ts`
    // Where two programs are shown in one block, a name may stand for two things.
    writeFileSync(join(folder, name), `${code}\nexport {}\n`)
  }
}
const { status, stdout } = spawnSync('tsc', ['-p', folder], { encoding: 'utf8' })
process.stdout.write(status === 0 ? `${count} examples compile\n` : stdout)
process.exitCode = status ?? 1
