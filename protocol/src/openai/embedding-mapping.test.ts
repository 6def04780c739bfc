import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { embeddingRequest } from '../consumer/embeddings.schema.ts'
import { readVector, toEmbedding, toEmbeddingPayload } from './embedding-mapping.ts'

const RUNS = { seed: 20_261, numRuns: 200 }
const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 64 })

function request(extra: Record<string, unknown> = {}) {
  return embeddingRequest.parse({ model: 'm', input: 'x', ...extra })
}

test.for<[unknown, unknown]>([
  ['a', ['a']],
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  [[1, 2], [[1, 2]]],
  [
    [[1], [2, 3]],
    [[1], [2, 3]],
  ],
])('%j is %j for a Host', ([input, inputs]) => {
  expect(toEmbeddingPayload(request({ input }))).toEqual({ input: inputs })
})

test('a vector in base64 is read as it was written', () => {
  fc.assert(
    fc.property(floats, (numbers) => {
      const vector = Float32Array.from(numbers)
      const written = toEmbedding(request({ encoding_format: 'base64' }), vector, 0)?.embedding
      expect(readVector(String(written))).toEqual(vector)
      expect(toEmbedding(request(), vector, 0)?.embedding).toEqual([...vector])
    }),
    RUNS,
  )
})

test.for([
  ['nothing', ''],
  ['half a number', btoa('abcdef')],
  ['no base64', '*'],
  ['no number', btoa('\0\0\xc0\x7f')],
  ['an endless one', btoa('\0\0\x80\x7f')],
])('%s is no vector', ([, base64]) => {
  expect(readVector(base64)).toBeUndefined()
})

test('[A11] fewer dimensions are the first numbers, of length 1 again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 64 }),
      fc.nat(),
      (numbers, at) => {
        const dimensions = 1 + (at % numbers.length)
        // An empty direction has no length to scale.
        fc.pre(
          dimensions < numbers.length &&
            numbers.slice(0, dimensions).some((number) => Math.abs(number) > 0.01),
        )
        const vector = Float32Array.from(numbers)
        const short = toEmbedding(request({ dimensions }), vector, 3)
        expect(short).toMatchObject({ object: 'embedding', index: 3 })
        const kept = short?.embedding as number[]
        expect(kept).toHaveLength(dimensions)
        expect(Math.hypot(...kept)).toBeCloseTo(1, 5)
        const scale = Math.hypot(...vector.subarray(0, dimensions))
        for (const [index, number] of kept.entries())
          expect(number * scale).toBeCloseTo(vector[index] ?? 0, 5)
      },
    ),
    RUNS,
  )
})

test('all dimensions leave a vector as it is, and more than it has are none', () => {
  const vector = Float32Array.from([3, 4])
  expect(toEmbedding(request({ dimensions: 2 }), vector, 0)?.embedding).toEqual([3, 4])
  expect(toEmbedding(request({ dimensions: 3 }), vector, 0)).toBeUndefined()
  expect(toEmbedding(request({ dimensions: 1 }), Float32Array.from([0, 4]), 0)?.embedding).toEqual([0])
})
