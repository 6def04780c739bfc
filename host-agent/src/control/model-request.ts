import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CatalogueEntry } from '@daisi/protocol'
import type { Failure, Outcome } from '../outcome.ts'
import { type ModelOrder, orderOf } from '../store/add-model.ts'
import { parseModelReference, referenceText } from '../store/model-reference.ts'
import type { AddModelRequest } from './control-wire.ts'

/** What to fetch for a request. */
export function orderOfRequest({
  reference,
  sha256,
  sizeBytes,
  ...described
}: AddModelRequest): { readonly ok: true; readonly order: ModelOrder } | Failure {
  const parsed = parseModelReference(reference)
  if (!parsed.ok) return parsed
  const { id, aliases, kinds, contextLength, licence, defaultSampling } = described
  const order: ModelOrder = {
    reference: parsed.reference,
    ...(id !== undefined && { id }),
    ...(aliases !== undefined && { aliases }),
    ...(sha256 !== undefined && { expectedSha256: sha256 }),
    ...(sizeBytes !== undefined && { expectedSizeBytes: sizeBytes }),
    ...(kinds !== undefined && { kinds }),
    ...(contextLength !== undefined && { contextLength }),
    ...(licence !== undefined && { licence }),
    ...(defaultSampling !== undefined && { defaultSampling }),
  }
  return { ok: true, order }
}

/** What to ask for to get an entry of an Orc's catalogue: exactly its file, with all that the catalogue says of it. */
export function requestOfEntry(entry: CatalogueEntry): Outcome<AddModelRequest> {
  const ordered = orderOf(entry)
  if (!ordered.ok) return ordered
  const { id, aliases, sha256, sizeBytes, kinds, contextLength, licence, defaultSampling } = entry
  const reference = referenceText(ordered.order.reference)
  return {
    ok: true,
    value: { reference, id, aliases, sha256, sizeBytes, kinds, contextLength, licence, defaultSampling },
  }
}

/** Paths are made whole, since the agent has another working folder. A bare name of no file here may be one that the agent knows. */
export function wholeReference(text: string): string {
  const parsed = parseModelReference(text)
  if (!parsed.ok || parsed.reference.source !== 'file') return text
  const path = resolve(parsed.reference.path)
  return existsSync(path) || /^[./~\\]|\.gguf$/i.test(text) ? path : text
}
