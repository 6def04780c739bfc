import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditReport } from '../../protocol/src/index.ts'
import { auditFaults } from '../../chaos/support/audit-faults.ts'
import { manageApi } from '../../orc-local/src/manage-api.ts'
import { type World, NANO } from './world.ts'

interface GoldenFile {
  readonly prompts: readonly {
    readonly right: boolean
    readonly messages: readonly { readonly role: string; readonly content: string }[]
  }[]
}

const GOLDEN_FILE = join(import.meta.dirname, '../../models/daisi-nano/golden.json')
const PATIENCE_MS = 30_000

/** What no longer works: processes, the answer that the model's makers recorded, the sums of the book. */
export async function canaryFaults(world: World): Promise<string[]> {
  if (world.dead.length > 0) return world.dead.map((name) => `${name} is gone`)
  try {
    const [chat, audit] = await Promise.all([chatFaults(world), bookFaults(world)])
    return [...chat, ...audit]
  } catch (error) {
    return [`the canary failed: ${String(error)}`]
  }
}

async function chatFaults(world: World): Promise<string[]> {
  const { prompts }: GoldenFile = JSON.parse(readFileSync(GOLDEN_FILE, 'utf8'))
  const golden = prompts.find(
    ({ right, messages }) => right && messages.length === 2 && messages[0]?.role === 'user',
  )
  const [question, answer] = golden?.messages ?? []
  const response = await fetch(new URL('/v1/chat/completions', world.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${world.canary.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: NANO, messages: [question], temperature: 0, max_tokens: 100 }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  const text = await response.text()
  const content = response.ok ? (JSON.parse(text) as ChatAnswer).choices[0]?.message.content : undefined
  return content === answer?.content
    ? []
    : [`a known question was answered ${response.status} ${text.slice(0, 200)}`]
}

interface ChatAnswer {
  readonly choices: readonly { readonly message: { readonly content: string } }[]
}

async function bookFaults(world: World): Promise<string[]> {
  return auditFaults(await manageApi(world.url, world.root.token).get<AuditReport>('/api/audit'))
}
