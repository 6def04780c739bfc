import { expect, test } from 'vitest'
import { memoryBudget } from './memory-budget.ts'

const GIB = 1024 ** 3
const nothing = { memoryBytes: null, vramBytes: null }

test.each([
  ['a tenth of a large machine stays free', nothing, { mainBytes: 100 * GIB, gpuBytes: 0 }, [90, 0]],
  ['a gibibyte of a middling one', nothing, { mainBytes: 8 * GIB, gpuBytes: 0 }, [7, 0]],
  ['half of a tiny one', nothing, { mainBytes: GIB, gpuBytes: 0 }, [0.5, 0]],
  [
    'its owner may want less',
    { ...nothing, memoryBytes: 2 * GIB },
    { mainBytes: 100 * GIB, gpuBytes: 0 },
    [2, 0],
  ],
  [
    'but cannot make it more',
    { ...nothing, memoryBytes: 99 * GIB },
    { mainBytes: 8 * GIB, gpuBytes: 0 },
    [7, 0],
  ],
  ['a GPU counts beside it', nothing, { mainBytes: 8 * GIB, gpuBytes: 10 * GIB }, [7, 9]],
  ['or not at all', { ...nothing, vramBytes: 0 }, { mainBytes: 8 * GIB, gpuBytes: 10 * GIB }, [7, 0]],
])('%s', (_, settings, machine, [main = 0, gpu = 0]) => {
  expect(memoryBudget(settings, machine)).toEqual({ mainBytes: main * GIB, gpuBytes: gpu * GIB })
})
