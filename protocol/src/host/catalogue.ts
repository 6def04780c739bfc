import * as z from 'zod'
import { count, sha256Hex } from '../ids.ts'
import { sampling } from './chat-payload.ts'
import { jobKind, modelId } from './model.ts'

/** Where Hosts read the catalogue of an Orc. It is no secret: anybody may. */
export const CATALOGUE_PATH = '/host/v1/catalogue'

/** Most models in a catalogue. */
export const MAX_CATALOGUE_MODELS = 1_000

/** `hf:user/repo/folder/file.gguf#revision` or `hf:user/repo:quantization`; the revision may be left out. */
const HUGGING_FACE_FILE = /^hf:[\w.-]+\/[\w.-]+(?:(?:\/[\w.-]+)+(?:#[\w./-]+)?|:[\w.-]+(?:#[\w./-]+)?)$/

/** Where a model file is: an https address without credentials, or a file on Hugging Face. */
export const modelAddress = z
  .string()
  .max(2_048)
  .refine(isModelAddress, 'must be an https address without credentials, or hf:user/repo/file.gguf')

/** How a model wants its tokens chosen where a request does not say. */
export const defaultSampling = sampling
  .pick({
    temperature: true,
    topP: true,
    topK: true,
    minP: true,
    repeatPenalty: true,
    frequencyPenalty: true,
    presencePenalty: true,
  })
  .strict()
export type DefaultSampling = z.infer<typeof defaultSampling>

/** One model that an Orc's operator recommends to Hosts, pinned to one file by its hash. */
export const catalogueEntry = z.object({
  id: modelId,
  /** Further names that Hosts announce it under. All ids and aliases of a catalogue differ. */
  aliases: z.array(modelId).max(16).default([]),
  /** For people. */
  name: z.string().trim().min(1).max(128),
  sha256: sha256Hex,
  sizeBytes: z.int().positive(),
  url: modelAddress,
  /** Tokens that the model was made for, prompt and answer together. A Host with little memory may serve fewer. */
  contextLength: z.int().positive().max(100_000_000),
  /** SPDX identifier of the model's licence, or its name. */
  licence: z.string().trim().min(1).max(256),
  kinds: z.array(jobKind).min(1).max(8),
  /** What the model is good for beside its kinds, for people to choose by: what a Host can do it says itself. */
  capabilities: z.array(z.string().min(1).max(64)).max(64).default([]),
  /** How many parameters it has. */
  parameters: count.optional(),
  /** Such as `Q4_K_M`. */
  quantization: z.string().min(1).max(32).optional(),
  defaultSampling: defaultSampling.default({}),
  /** For people, such as what it needs or is best at. */
  notes: z.string().max(2_000).optional(),
})
export type CatalogueEntry = z.infer<typeof catalogueEntry>

/** Answer of `GET /host/v1/catalogue`, by id. */
export const catalogue = z.object({ models: z.array(catalogueEntry).max(MAX_CATALOGUE_MODELS) })
export type Catalogue = z.infer<typeof catalogue>

function isModelAddress(text: string): boolean {
  if (HUGGING_FACE_FILE.test(text)) return true
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return protocol === 'https:' && username === '' && password === ''
}
