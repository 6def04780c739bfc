import {
  type AnomalyDetail,
  type AnomalyPage,
  type AnomalyView,
  anomalyQuery,
  reviewRequest,
} from '@daisi/protocol'
import { type AnomalyRecord, listAnomalies, readAnomaly, reviewAnomaly } from '../db/anomalies.ts'
import { database } from '../db/client.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'
import { readQuery } from '../http/read-query.ts'

const DEFAULT_LIMIT = 100

/** `GET /api/anomalies`: what waits for a review, or was reviewed, newest first. */
export async function getAnomalies(c: AppContext): Promise<Response> {
  const { status = 'open', cursor, limit = DEFAULT_LIMIT } = readQuery(c, anomalyQuery)
  // One more than is shown tells whether another page follows.
  const records = await listAnomalies(database(c.env), status, cursor, limit + 1)
  const shown = records.slice(0, limit)
  const last = records.length > limit ? shown.at(-1) : undefined
  const page = {
    anomalies: shown.map(viewOf),
    next_cursor: last === undefined ? null : String(last.sequence),
  }
  return c.json(page satisfies AnomalyPage)
}

/** `GET /api/anomalies/:anomaly`: one record with its evidence. */
export async function getAnomaly(c: AppContext): Promise<Response> {
  const found = await readAnomaly(database(c.env), c.req.param('anomaly') ?? '')
  if (found === undefined) throw noSuchAnomaly()
  const evidence = found.evidence.map(({ id, seenAt, detail }) => ({
    id,
    seen_at: epochSeconds(seenAt),
    detail,
  }))
  return c.json({ ...viewOf(found.record), evidence } satisfies AnomalyDetail)
}

/** `POST /api/anomalies/:anomaly/review`: an operator's decision, final for this record. */
export async function postReview(c: AppContext): Promise<Response> {
  const { value } = await readJson(c.req.raw, reviewRequest)
  const id = c.req.param('anomaly') ?? ''
  const db = database(c.env)
  const reviewed = await reviewAnomaly(db, id, { ...value, operatorId: c.var.account.id }, Date.now())
  const found = await readAnomaly(db, id)
  if (found === undefined) throw noSuchAnomaly()
  if (!reviewed) {
    const message = 'This anomaly has been reviewed. What is seen from now on opens another one.'
    throw new ApiError({ code: 'conflict', message })
  }
  return c.json(viewOf(found.record) satisfies AnomalyView)
}

function viewOf(record: AnomalyRecord): AnomalyView {
  const { id, kind, subject, status, sightings, openedAt, lastSeenAt, reviewedAt, note } = record
  return {
    id,
    kind,
    subject,
    status,
    sightings,
    opened_at: epochSeconds(openedAt),
    last_seen_at: epochSeconds(lastSeenAt),
    reviewed_at: reviewedAt === null ? null : epochSeconds(reviewedAt),
    note,
  }
}

function noSuchAnomaly(): ApiError {
  return new ApiError({
    code: 'not_found',
    message: 'There is no such anomaly. GET /api/anomalies lists them.',
  })
}
