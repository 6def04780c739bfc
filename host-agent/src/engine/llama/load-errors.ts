import { InsufficientMemoryError } from 'node-llama-cpp'
import { ModelLoadError, type ModelLoadCode } from '../engine.ts'

/** What llama.cpp and the library say, and what it means. The first that matches counts. */
const SIGNS: readonly (readonly [RegExp, ModelLoadCode])[] = [
  [/unknown model architecture|unknown pre-tokenizer|unsupported|not supported/i, 'model_unsupported'],
  [/out of memory|failed to allocate|unable to allocate|cannot allocate|insufficient/i, 'not_enough_memory'],
  [
    /corrupt|incomplete|not within|missing tensor|wrong shape|wrong number of tensors|invalid/i,
    'model_damaged',
  ],
]

const ADVICE: Readonly<Record<ModelLoadCode, string>> = {
  model_unusable: 'check that the file exists and is a GGUF file',
  model_damaged: 'is damaged; download it again',
  model_unsupported: 'is not for this version of llama.cpp; update daisi-host or choose another model',
  not_enough_memory:
    'does not fit into memory; raise the memory budget, lower the slots or the context, or choose a smaller model',
  model_load_failed: 'does not load; try it again, download it again, or choose another model',
}

/** The longest part of a foreign message that is passed on. */
const LONGEST_REASON = 300

/** Any failure to load a model as one that says what to do. `complaints` are llama.cpp's own. */
export function toLoadError(error: unknown, modelPath: string, complaints: string): ModelLoadError {
  if (error instanceof ModelLoadError) return error
  const reason = error instanceof Error ? error.message : 'unknown error'
  const code =
    error instanceof InsufficientMemoryError
      ? 'not_enough_memory'
      : (SIGNS.find(([sign]) => sign.test(`${complaints}\n${reason}`))?.[1] ?? 'model_load_failed')
  const message = `${modelPath} ${ADVICE[code]} (${reason.slice(0, LONGEST_REASON)})`
  return new ModelLoadError(code, message, error)
}
