import type { AnomalyDetail, AnomalyPage, AnomalyView } from '@daisi/protocol'
import { call, operatorAccount } from './orc.ts'

/**
 * The middle of a day, so that minutes later is the same day and hour; after everything that happens now, so that the order
 * of times is the order of writing.
 */
export const NOON = Date.UTC(2100, 0, 15, 12, 30)

let serial = 0

/** A name that no other test of the file uses. */
export function fresh(name: string): string {
  return `${name}-${++serial}`
}

/** One page of records, as the operator sees it. */
export function anomalyPage(query: string): Promise<AnomalyPage> {
  return get(`/api/anomalies?${query}`)
}

/** All records about this subject, the open one first. */
export async function recordsOf(subject: string): Promise<AnomalyView[]> {
  const statuses = ['open', 'dismissed', 'upheld']
  const pages = await Promise.all(statuses.map((status) => anomalyPage(`status=${status}&limit=500`)))
  return pages.flatMap((page) => page.anomalies).filter((anomaly) => anomaly.subject === subject)
}

/** The only record about this subject, with its evidence. */
export async function onlyRecordOf(subject: string): Promise<AnomalyDetail> {
  const [record, ...others] = await recordsOf(subject)
  if (record === undefined || others.length > 0) throw new Error(`${subject} has not one record`)
  return get(`/api/anomalies/${record.id}`)
}

async function get<Value>(path: string): Promise<Value> {
  const { token } = await operatorAccount()
  const response = await call('GET', path, { token })
  if (response.status !== 200) throw new Error(await response.text())
  return response.json()
}
