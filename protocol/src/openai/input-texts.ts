type Input = string | readonly string[] | readonly number[] | readonly (readonly number[])[]

/** Each text of a request that may have one or several, as text or as ids of tokens. */
export function inputTexts(input: Input): (string | number[])[] {
  if (typeof input === 'string') return [input]
  const [first] = input
  if (typeof first === 'number') return [[...(input as readonly number[])]]
  return (input as readonly (string | readonly number[])[]).map((text) =>
    typeof text === 'string' ? text : [...text],
  )
}
