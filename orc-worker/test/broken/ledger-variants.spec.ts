import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { VARIANTS } from './variants.ts'

// Named so that the project `orc-worker`, which takes *.test.ts, does not run it in workerd.

const VITEST = path.join(
  path.dirname(fileURLToPath(import.meta.resolve('vitest/package.json'))),
  'vitest.mjs',
)
const CONFIG = path.join(import.meta.dirname, 'vitest.workerd.config.ts')
/** Enough for every variant to be found, with some to spare. */
const RUNS = 30

const folder = mkdtempSync(path.join(tmpdir(), 'ledger-variants-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Outcome {
  readonly status: string
  readonly failureMessages: readonly string[]
}

/** What became of the property, or undefined if it did not even run. */
async function outcomeWith(variant: string | undefined, name: string): Promise<Outcome | undefined> {
  const report = path.join(folder, `${name}.json`)
  const child = spawn(
    process.execPath,
    [VITEST, 'run', '--config', CONFIG, '--reporter=json', `--outputFile=${report}`],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        BROKEN_VARIANT: variant ?? '',
        VITE_FC_SEED: '',
        VITE_FC_PATH: '',
        VITE_FC_RUNS: String(RUNS),
        VITE_FC_SHRINK: 'no',
      },
    },
  )
  const [said] = await Promise.all([text(child.stderr), once(child, 'exit')])
  if (!existsSync(report)) throw new Error(said)
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { assertionResults: Outcome[] }[]
  }
  return testResults[0]?.assertionResults[0]
}

test.concurrent('the property holds for the source as it is', async () => {
  expect(await outcomeWith(undefined, 'none')).toMatchObject({ status: 'passed' })
})

test.concurrent.for(VARIANTS.map((variant, index) => ({ ...variant, index })))(
  'the property fails if $name',
  async ({ name, index }) => {
    const outcome = await outcomeWith(name, `variant-${index}`)
    expect(outcome?.status).toBe('failed')
    const told = outcome?.failureMessages.join('\n')
    expect(told).toContain('Property failed after')
    // A line that does not run proves nothing.
    expect(told).not.toMatch(/TypeError|ReferenceError|SyntaxError/)
  },
)
