import { defineConfig } from 'vitest/config'
import orcWorker from '../../vitest.config.ts'
import { replaceLine } from './replace-line.ts'
import { VARIANTS } from './variants.ts'

// The property of the ledger alone, over the source with one line replaced: that of the variant which BROKEN_VARIANT names,
// or none.
export default defineConfig(async (environment) => {
  const { plugins, test } = await orcWorker(environment)
  const name = process.env['BROKEN_VARIANT'] ?? ''
  const variant = VARIANTS.find((each) => each.name === name)
  if (name !== '' && variant === undefined) throw new Error(`no variant has the name ${name}`)
  return {
    plugins: [...(variant === undefined ? [] : [replaceLine(variant)]), ...(plugins ?? [])],
    test: { ...test, include: ['test/ledger-properties.test.ts'] },
  }
})
