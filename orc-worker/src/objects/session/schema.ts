import { type LeaseOwner, type Transfer, leaseIdOf, refill, release } from '../../domain/money/transfer.ts'
import type { PendingWrite } from './pending-write.ts'
import { readFact, saveFact } from './facts.ts'
import type { SessionRecord } from './types.ts'

const FIRST = `
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    amount INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0, owed INTEGER NOT NULL DEFAULT 0,
    writes INTEGER NOT NULL DEFAULT 0,
    jobs INTEGER NOT NULL DEFAULT 0, prompt_tokens INTEGER NOT NULL DEFAULT 0, cached_tokens INTEGER NOT NULL DEFAULT 0,
    generated_tokens INTEGER NOT NULL DEFAULT 0, credits INTEGER NOT NULL DEFAULT 0,
    CHECK (held >= 0 AND owed >= 0 AND held + owed <= amount)
  ) STRICT;
  INSERT OR IGNORE INTO lease (id) VALUES (1);
  CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('open', 'finished')), hold INTEGER NOT NULL,
    idempotency_key TEXT UNIQUE, digest TEXT, expires_at INTEGER NOT NULL,
    payee TEXT, credits INTEGER NOT NULL DEFAULT 0, generated_tokens INTEGER NOT NULL DEFAULT 0,
    settling INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS opened_sessions (name TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT;`

const REPORTS = `
  DROP INDEX IF EXISTS jobs_expiry;
  ALTER TABLE jobs RENAME TO jobs_old;
  CREATE TABLE jobs (
    id TEXT PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('open', 'finished')),
    hold INTEGER NOT NULL, expires_at INTEGER NOT NULL, idempotency_key TEXT, digest TEXT,
    recalled INTEGER NOT NULL DEFAULT 0, credits INTEGER NOT NULL DEFAULT 0, report TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX jobs_idempotency_key ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE TABLE answered (
    idempotency_key TEXT PRIMARY KEY, digest TEXT NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX answered_expiry ON answered (expires_at);
  CREATE TABLE settled_jobs (settlement TEXT PRIMARY KEY, ids TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO jobs (id, state, hold, expires_at, idempotency_key, digest)
    SELECT id, state, hold, expires_at, idempotency_key, digest FROM jobs_old WHERE state = 'open';
  INSERT INTO jobs (id, state, hold, expires_at, credits, report)
    SELECT id, state, hold, expires_at, credits, json_object('jobId', id, 'hostId', 'unknown:' || payee, 'payee', payee, 'model', '',
      'promptBytes', 0, 'textBytes', 0, 'endedAt', expires_at - 86400000,
      'usage', json_object('promptTokens', 0, 'cachedTokens', 0, 'generatedTokens', generated_tokens))
    FROM jobs_old WHERE state = 'finished' AND credits > 0;
  INSERT INTO answered (idempotency_key, digest, expires_at)
    SELECT idempotency_key, digest, expires_at FROM jobs_old WHERE state = 'finished' AND idempotency_key IS NOT NULL;
  DROP TABLE jobs_old;
  ALTER TABLE lease ADD COLUMN recalled INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE lease ADD COLUMN last_refill INTEGER NOT NULL DEFAULT 0;`

const DIRECT = `
  CREATE TABLE direct_tokens (id TEXT PRIMARY KEY, host_id TEXT NOT NULL, expires_at INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;`

const STEPS = [FIRST, REPORTS, DIRECT]

const HAS_TABLES = `SELECT name FROM sqlite_master WHERE name = 'facts'`

/** A write under way, as the first version noted it. */
interface FirstPendingWrite {
  readonly kind: 'refill' | 'release' | 'settle'
  readonly transfers: readonly Pick<Transfer, 'id' | 'debit' | 'credit' | 'amount'>[]
  readonly amount: number
}

/** True if a ConsumerSession ever kept something here. Asking leaves nothing behind. */
export function hasSessionTables({ sql }: DurableObjectStorage): boolean {
  return sql.exec(HAS_TABLES).toArray().length > 0
}

/** Brings the storage of a ConsumerSession to the present schema, step by step. */
export function applySessionSchema(storage: DurableObjectStorage): void {
  const { sql } = storage
  sql.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT')
  const [row] = sql.exec<{ version: number }>('SELECT version FROM schema_version').toArray()
  const version = row?.version ?? 0
  if (version === STEPS.length) return
  storage.transactionSync(() => {
    if (version < 2 && sql.exec(HAS_TABLES).toArray().length > 0) completePendingWrite(sql)
    for (const step of STEPS.slice(version)) sql.exec(step)
    sql.exec('DELETE FROM schema_version')
    sql.exec('INSERT INTO schema_version (version) VALUES (?)', STEPS.length)
  })
}

/** The first version's transfers did not name the owners of leases. Their business ids stay, so that none is made twice. */
function completePendingWrite(sql: SqlStorage): void {
  const write = readFact<FirstPendingWrite>(sql, 'pending')
  const record = readFact<SessionRecord>(sql, 'record')
  if (write === undefined || record === undefined) return
  const owner = { leaseId: leaseIdOf(record.sessionId), accountId: record.accountId }
  saveFact(sql, 'pending', completed(sql, write, owner, record.keyId))
}

function completed(
  sql: SqlStorage,
  { kind, transfers, amount }: FirstPendingWrite,
  owner: LeaseOwner,
  keyId: string,
): PendingWrite {
  const [first] = transfers
  // lease:<session>:<number>, release:…, or settle:<session>:<number>:<payee>
  const [, session = '', number = ''] = (first?.id ?? '').split(':')
  const id = `${session}:${number}`
  if (kind === 'refill') return { kind, transfer: refill(id, owner, amount) }
  if (kind === 'release') return { kind, transfer: release(id, owner, amount) }
  const jobIds = sql
    .exec<{ id: string }>('SELECT id FROM jobs WHERE settling = 1')
    .toArray()
    .map((row) => row.id)
  const payments = transfers.map(({ credit, amount: credits }) => ({ payee: credit, credits }))
  const settlement = { jobs: jobIds.length, credits: amount, payments, usage: [], work: [] }
  return { kind, entry: { id, owner, keyId, settlement }, jobIds }
}
