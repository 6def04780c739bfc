const FIRST = [
  'amber',
  'brisk',
  'calm',
  'clear',
  'deft',
  'early',
  'fair',
  'glad',
  'keen',
  'kind',
  'lucid',
  'mild',
  'neat',
  'quick',
  'sunny',
  'warm',
]
const SECOND = [
  'aspen',
  'birch',
  'cedar',
  'clover',
  'daisy',
  'fern',
  'heron',
  'iris',
  'lark',
  'maple',
  'otter',
  'poppy',
  'robin',
  'sage',
  'swift',
  'willow',
]

/** A Host's public name, such as `calm-heron-3f9a1c`: made from its id, saying nothing about its owner. */
export async function hostAlias(hostId: string): Promise<string> {
  const digest = new Uint8Array(
    await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`alias\n${hostId}`)),
  )
  const [first = 0, second = 0, ...rest] = digest
  const tail = rest
    .slice(0, 3)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
  return `${FIRST[first % FIRST.length]}-${SECOND[second % SECOND.length]}-${tail}`
}
