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
    credits INTEGER NOT NULL DEFAULT 0, report TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX jobs_idempotency_key ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE TABLE answered (
    idempotency_key TEXT PRIMARY KEY, digest TEXT NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX answered_expiry ON answered (expires_at);
  CREATE TABLE settled_jobs (settlement TEXT PRIMARY KEY, ids TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  -- A write under way names no owners of its leases. It is taken to have happened: reconciliation with the book finds out.
  UPDATE lease SET amount = amount - settling, owed = owed - settling
    FROM (SELECT coalesce(sum(credits), 0) AS settling FROM jobs_old WHERE settling = 1);
  DELETE FROM facts WHERE name = 'pending';
  INSERT INTO jobs (id, state, hold, expires_at, idempotency_key, digest)
    SELECT id, state, hold, expires_at, idempotency_key, digest FROM jobs_old WHERE state = 'open';
  INSERT INTO jobs (id, state, hold, expires_at, credits, report)
    SELECT id, state, hold, expires_at, credits, json_object('jobId', id, 'hostId', '', 'payee', payee, 'model', '',
      'promptBytes', 0, 'textBytes', 0, 'endedAt', expires_at - 86400000,
      'usage', json_object('promptTokens', 0, 'cachedTokens', 0, 'generatedTokens', generated_tokens))
    FROM jobs_old WHERE state = 'finished' AND credits > 0 AND settling = 0;
  INSERT INTO answered (idempotency_key, digest, expires_at)
    SELECT idempotency_key, digest, expires_at FROM jobs_old WHERE state = 'finished' AND idempotency_key IS NOT NULL;
  DROP TABLE jobs_old;
  ALTER TABLE lease ADD COLUMN last_refill INTEGER NOT NULL DEFAULT 0;`

const STEPS = [FIRST, REPORTS]

/** Brings the storage of a ConsumerSession to the present schema, step by step. */
export function applySessionSchema(storage: DurableObjectStorage): void {
  const { sql } = storage
  sql.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT')
  const [row] = sql.exec<{ version: number }>('SELECT version FROM schema_version').toArray()
  const version = row?.version ?? 0
  if (version === STEPS.length) return
  storage.transactionSync(() => {
    for (const step of STEPS.slice(version)) sql.exec(step)
    sql.exec('DELETE FROM schema_version')
    sql.exec('INSERT INTO schema_version (version) VALUES (?)', STEPS.length)
  })
}
