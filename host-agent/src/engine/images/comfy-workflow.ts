import type { ImageOrder } from './image-driver.ts'

/** What ComfyUI's own first workflow has. */
const DEFAULT_STEPS = 20
const GUIDANCE = 7

/** Node whose output is the image. */
export const OUTPUT_NODE = 'image'

/**
 * The smallest workflow from text to image, in ComfyUI's API format. The image goes to ComfyUI's folder for temporary files,
 * which it empties by itself, and not to its owner's pictures.
 */
export function comfyWorkflow({
  serverName,
  prompt,
  negativePrompt,
  width,
  height,
  steps,
  seed,
}: ImageOrder): object {
  return {
    checkpoint: node('CheckpointLoaderSimple', { ckpt_name: serverName }),
    canvas: node('EmptyLatentImage', { width, height, batch_size: 1 }),
    wanted: node('CLIPTextEncode', { clip: ['checkpoint', 1], text: prompt }),
    unwanted: node('CLIPTextEncode', { clip: ['checkpoint', 1], text: negativePrompt ?? '' }),
    sampler: node('KSampler', {
      model: ['checkpoint', 0],
      positive: ['wanted', 0],
      negative: ['unwanted', 0],
      latent_image: ['canvas', 0],
      sampler_name: 'euler',
      scheduler: 'normal',
      steps: steps ?? DEFAULT_STEPS,
      cfg: GUIDANCE,
      denoise: 1,
      seed: seed ?? Math.floor(Math.random() * Number.MAX_SAFE_INTEGER),
    }),
    pixels: node('VAEDecode', { samples: ['sampler', 0], vae: ['checkpoint', 2] }),
    [OUTPUT_NODE]: node('PreviewImage', { images: ['pixels', 0] }),
  }
}

function node(class_type: string, inputs: Readonly<Record<string, unknown>>): object {
  return { class_type, inputs }
}
