import { fileURLToPath } from 'node:url'

/** A program beside this file: TypeScript when it runs from source, JavaScript when it is built. */
export function processPath(name: string): string {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  return fileURLToPath(new URL(`./${name}${extension}`, import.meta.url))
}
