import { getCompileCacheDir } from 'node:module'
import { fileURLToPath } from 'node:url'

/** A program beside this file: TypeScript when it runs from source, JavaScript when it is built. */
export function processPath(name: string): string {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  return fileURLToPath(new URL(`./${name}${extension}`, import.meta.url))
}

/** The environment of such a program: that of this one, which compiled code it shares with others of its kind. */
export function processEnvironment(): NodeJS.ProcessEnv {
  const compiled = getCompileCacheDir()
  return { ...process.env, ...(compiled !== undefined && { NODE_COMPILE_CACHE: compiled }) }
}
