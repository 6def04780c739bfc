import { type CompletionUsage, type Daisi, DaisiError } from 'daisi-sdk'
import { ExitCode, Failure } from '../exit-codes.ts'

/** How a chat went. */
export interface ChatReport {
  readonly usage: CompletionUsage
  readonly firstTokenMs: number
  /** Until the last token. */
  readonly totalMs: number
}

/** The model that the network serves. */
export async function firstModel(daisi: Daisi): Promise<string> {
  const [model] = await daisi.models.list()
  if (model === undefined) throw new Failure(ExitCode.Request, 'The Host is online, but serves no model.')
  return model.id
}

/** One streamed chat. Each piece of text goes to `onText` as it comes. */
export async function chat(
  daisi: Daisi,
  model: string,
  prompt: string,
  onText: (text: string) => void,
): Promise<ChatReport> {
  const startedAt = performance.now()
  let firstAt: number | undefined
  let lastAt = startedAt
  try {
    const stream = await daisi.chat.stream({
      model,
      temperature: 0,
      messages: [{ role: 'user', content: prompt }],
    })
    for await (const text of stream.textDeltas()) {
      lastAt = performance.now()
      firstAt ??= lastAt
      onText(text)
    }
    const { usage } = await stream.final()
    return { usage, firstTokenMs: (firstAt ?? lastAt) - startedAt, totalMs: lastAt - startedAt }
  } catch (cause) {
    if (!DaisiError.isInstance(cause)) throw cause
    throw new Failure(ExitCode.Request, `The chat failed: ${cause.message} (${cause.code})`, { cause })
  }
}
