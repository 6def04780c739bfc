import { modelId } from '@daisi/protocol'

/** Characters of the longest name. */
const LONGEST_NAME = 128

/**
 * The name that a server's model is offered under. Servers also name models by the path of a file: that path is nobody's
 * business, and the file's name is enough. Undefined if nothing is left that could be a name.
 */
export function offeredName(serverName: string): string | undefined {
  const isFile = /\.(gguf|safetensors|ckpt|pt|bin)$/i.test(serverName)
  const isPath = isFile || /^([/\\.~]|[A-Za-z]:\\)/.test(serverName)
  const name = (isPath ? serverName.split(/[/\\]/).at(-1) : serverName) ?? ''
  const plain = name
    .replace(/\.(gguf|safetensors|ckpt|pt|bin)$/i, '')
    .replaceAll(/[^A-Za-z0-9._:/-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/-+$/, '')
    .slice(0, LONGEST_NAME)
  return modelId.safeParse(plain).data
}
