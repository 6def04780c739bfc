import { expect, test } from 'vitest'
import { JsonEnd } from './json-end.ts'

test.for([
  '{}',
  '{"a":{"b":[1,{}]}}',
  String.raw`{"a}":"}\"}\\"}`,
  String.raw`{"a":["\\\"]}",{"b":"{["}]}`,
  '{"a":"é}🙂"}',
])('an object ends where its JSON does, however it is cut: %s', (text) => {
  const end = new JsonEnd()
  for (let at = 0; at < text.length; at++) {
    end.add(text.charAt(at))
    expect([at, end.isReached]).toEqual([at, at === text.length - 1])
  }
  end.add(' \n')
  expect(end.isReached).toBe(true)
  const inTwo = new JsonEnd()
  for (const piece of [text.slice(0, 3), text.slice(3)]) inTwo.add(piece)
  expect(inTwo.isReached).toBe(true)
})

test('before it begins it has not ended', () => {
  const end = new JsonEnd()
  end.add(' ')
  expect(end.isReached).toBe(false)
})
