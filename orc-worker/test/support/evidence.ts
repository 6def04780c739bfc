import { env } from 'cloudflare:workers'
import { runDurableObjectAlarm } from 'cloudflare:test'
import type { AnomalyKind, Run } from '@daisi/protocol'
import { hashCredential } from '../../src/domain/credential.ts'
import { hostStub, plainSessionName } from '../../src/objects/stubs.ts'
import type { Scene } from './scene.ts'
import type { TestHost } from './test-host.ts'

/** What a Job of one token used. */
export const ONE = { promptTokens: 10, cachedTokens: 0, generatedTokens: 1 }

/** What the operator can read of this kind about a Host, once its object has told all it saw. */
export async function evidence(
  { keys }: TestHost,
  kind: AnomalyKind,
): Promise<{ anomaly: string; id: string; detail: Record<string, unknown> }[]> {
  await runDurableObjectAlarm(hostStub(env, keys.id))
  const rows = await env.DB.prepare(
    `SELECT anomaly_id AS anomaly, e.id, detail FROM anomaly_evidence e JOIN anomalies a ON a.id = anomaly_id
     WHERE kind = ? AND subject = ? ORDER BY e.rowid`,
  )
    .bind(kind, keys.id)
    .all<{ anomaly: string; id: string; detail: string }>()
  return rows.results.map(({ detail, ...row }) => ({ ...row, detail: JSON.parse(detail) }))
}

/** Name of the Session that the scene's plain calls are in. */
export async function sessionOf({ key }: Scene): Promise<string> {
  return plainSessionName(await hashCredential(key.key))
}

/** Delivers one token and ends with this receipt. */
export async function serveOne({ host }: Scene, receipt: (run: Run) => Promise<string>): Promise<Run> {
  const run = await start(host)
  host.sendFrame(run.jobId, 0, 'x')
  await host.end(run, ONE, { receipt: await receipt(run) })
  return run
}

/** Takes the next Job. */
export async function start(host: TestHost): Promise<Run> {
  const run = await host.receive('run')
  host.accept(run)
  return run
}
