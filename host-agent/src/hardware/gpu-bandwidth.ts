const GB = 1e9

/**
 * Memory bandwidth by name, in GB/s, as makers state it; of two kinds with one name the slower. The longer names first: the first
 * that matches counts.
 */
const BANDWIDTHS: readonly (readonly [RegExp, number])[] = [
  [/\bB200\b/, 8_000],
  [/\bH200\b/, 4_800],
  [/\bH100\b/, 2_000],
  [/\bA100\b/, 1_555],
  [/\bL40S?\b/, 864],
  [/\bA40\b/, 696],
  [/\bA10\b/, 600],
  [/\bL4\b/, 300],
  [/\bT4\b/, 320],
  [/\bV100\b/, 900],
  [/RTX 5090\b/, 1_792],
  [/RTX 5080\b/, 960],
  [/RTX 5070 Ti\b/, 896],
  [/RTX 5070\b/, 672],
  [/RTX 5060\b/, 448],
  [/RTX 4090\b/, 1_008],
  [/RTX 4080\b/, 716],
  [/RTX 4070 Ti\b/, 504],
  [/RTX 4070\b/, 480],
  [/RTX 4060 Ti\b/, 288],
  [/RTX 4060\b/, 272],
  [/RTX 3090\b/, 936],
  [/RTX 3080\b/, 760],
  [/RTX 3070\b/, 448],
  [/RTX 3060\b/, 240],
  [/RX 7900 XTX\b/, 960],
  [/RX 7900\b/, 576],
  [/RX 7800\b/, 624],
  [/RX 7600\b/, 288],
  [/RX 6[89]00\b/, 512],
  [/\bM\d Ultra\b/, 800],
  [/\bM[12] Max\b/, 400],
  [/\bM\d Max\b/, 300],
  [/\bM3 Pro\b/, 150],
  [/\bM\d Pro\b/, 200],
  [/Apple M1\b/, 68],
  [/Apple M[234]\b/, 100],
  [/Apple M\d\b/, 120],
]

/** Bytes that a GPU reads from its memory in a second, by its name; undefined for one that is not known. */
export function gpuBandwidth(name: string): number | undefined {
  // A laptop's GPU has the name of a faster one.
  const share = /laptop|mobile|max-q/i.test(name) ? 0.6 : 1
  const found = BANDWIDTHS.find(([pattern]) => pattern.test(name))
  return found === undefined ? undefined : found[1] * GB * share
}
