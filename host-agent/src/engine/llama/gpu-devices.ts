import { readdirSync } from 'node:fs'

/** Names in `/dev` of NVIDIA's drivers (desktop and Jetson), AMD's compute driver, and GPUs inside WSL. */
const COMPUTE_DEVICES = /^(nvidia\d|nvhost|nvmap$|kfd$|dxg$)/
/** In `/dev/dri`: what a GPU that can compute has, unlike a mere display. */
const RENDER_NODE = /^renderD\d/

/**
 * False if llama.cpp would look for a GPU in vain, which takes seconds. Linux shows GPUs as devices; of other systems nothing is
 * known without asking.
 */
export function mayHaveGpu(platform: NodeJS.Platform = process.platform, list = namesIn): boolean {
  if (platform !== 'linux') return true
  return (
    list('/dev').some((name) => COMPUTE_DEVICES.test(name)) ||
    list('/dev/dri').some((name) => RENDER_NODE.test(name))
  )
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
