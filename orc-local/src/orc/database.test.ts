import { expect } from 'vitest'
import { call, test, writeMigrations } from '../testing/orc-fixture.ts'

const balances = { sql: 'SELECT id, balance FROM books ORDER BY id' }
const transfer = (id: string, amount: number): object => ({
  sql: 'INSERT INTO transfers VALUES (?, ?, ?, ?)',
  params: [id, 'ada', 'bob', amount],
})

test('rows come back with D1 meta', async ({ start }) => {
  const orc = await start()
  expect(await call(orc, '/all', balances)).toMatchObject({
    success: true,
    results: [
      { id: 'ada', balance: 10 },
      { id: 'bob', balance: 0 },
    ],
    meta: { changes: 0, rows_read: 2, rows_written: 0, changed_db: false },
  })
  expect(await call(orc, '/all', { sql: "INSERT INTO books VALUES ('eve', 1), ('fay', 2)" })).toMatchObject({
    meta: { changes: 2, last_row_id: expect.any(Number), changed_db: true, duration: expect.any(Number) },
  })
  expect(
    await call(orc, '/raw', { sql: "SELECT 1 AS a, NULL AS b, x'00ff' AS c, ? AS d", params: ['é'] }),
  ).toEqual([
    ['a', 'b', 'c', 'd'],
    [1, null, [0, 255], 'é'],
  ])
  expect(await call(orc, '/exec', { sql: 'SELECT 1;\nSELECT 2;' })).toMatchObject({ count: 2 })
})

test('a trigger with semicolons is one statement and fires', async ({ start }) => {
  const orc = await start()
  await call(orc, '/all', transfer('t1', 4))
  expect(await call(orc, '/all', balances)).toMatchObject({ results: [{ balance: 6 }, { balance: 4 }] })
})

test('a batch is one transaction: a failing statement undoes those before it', async ({ start }) => {
  const orc = await start()
  expect(await call(orc, '/batch', [transfer('t1', 4), transfer('t2', 7)])).toHaveProperty('cause')
  expect(await call(orc, '/all', balances)).toMatchObject({ results: [{ balance: 10 }, { balance: 0 }] })
  expect(await call(orc, '/batch', [transfer('t1', 4), transfer('t2', 6), balances])).toMatchObject([
    { meta: { changes: 3 } },
    { meta: { changes: 3 } },
    { results: [{ balance: 0 }, { balance: 10 }], meta: { changes: 0 } },
  ])
})

test('rows written are counted with those of triggers, and not for what was undone', async ({ start }) => {
  const orc = await start()
  const atFirst = await orc.rowsWritten()
  await call(orc, '/all', balances)
  await call(orc, '/batch', [transfer('t1', 4), transfer('t2', 7)])
  expect(await orc.rowsWritten()).toBe(atFirst)
  await call(orc, '/all', { sql: "INSERT INTO books VALUES ('eve', 1)" })
  const ofOneBook = (await orc.rowsWritten()) - atFirst
  expect(ofOneBook).toBeGreaterThan(0)
  await call(orc, '/all', transfer('t1', 4))
  expect((await orc.rowsWritten()) - atFirst - ofOneBook).toBeGreaterThan(ofOneBook)
})

test("SQLite's constraint errors reach the cause with their names", async ({ start }) => {
  const orc = await start()
  const check = await call(orc, '/all', { sql: "UPDATE books SET balance = -1 WHERE id = 'ada'" })
  expect(check).toMatchObject({
    message: expect.stringMatching(/^D1_ERROR: CHECK constraint failed: no_overdraft: SQLITE_CONSTRAINT/),
    cause: expect.stringMatching(/^CHECK constraint failed: no_overdraft: SQLITE_CONSTRAINT/),
  })
  const unique = await call(orc, '/all', { sql: "INSERT INTO books VALUES ('ada', 1)" })
  expect(unique).toMatchObject({ cause: expect.stringContaining('UNIQUE constraint failed: books.id') })
  const syntax = await call(orc, '/all', { sql: 'nonsense' })
  expect(syntax).toMatchObject({ cause: expect.stringContaining('syntax error') })
})

test('a migration is applied once, and a later one on top of it', async ({ start, options }) => {
  const first = await start()
  await call(first, '/all', transfer('t1', 4))
  await first.stop()
  await writeMigrations(options.migrationsDir ?? '', {
    '0001_more.sql': "INSERT INTO books VALUES ('eve', 3);",
  })
  const second = await start()
  expect(await call(second, '/all', balances)).toMatchObject({
    results: [{ balance: 6 }, { balance: 4 }, { id: 'eve', balance: 3 }],
  })
  expect(await call(second, '/all', { sql: 'SELECT id, name FROM d1_migrations' })).toMatchObject({
    results: [
      { id: 1, name: '0000_first.sql' },
      { id: 2, name: '0001_more.sql' },
    ],
  })
})

test('a failing migration is undone whole and stops the start', async ({ start, options, dir }) => {
  await writeMigrations(options.migrationsDir ?? '', {
    '0001_broken.sql':
      "INSERT INTO books VALUES ('eve', 3);\n--> statement-breakpoint\nINSERT INTO nowhere VALUES (1);",
  })
  await expect(start()).rejects.toMatchObject({ code: 'migration_failed' })
  const repaired = `${dir}/repaired`
  await writeMigrations(repaired, {
    '0000_first.sql': '',
    '0001_broken.sql': "INSERT INTO books VALUES ('gus', 1);",
  })
  const orc = await start({ migrationsDir: repaired })
  expect(await call(orc, '/all', balances)).toMatchObject({
    results: [{ id: 'ada' }, { id: 'bob' }, { id: 'gus' }],
  })
})

test('a database of a newer Orc is refused and left as it is', async ({ start, options, dir }) => {
  await writeMigrations(options.migrationsDir ?? '', {
    '0001_more.sql': "INSERT INTO books VALUES ('eve', 3);",
  })
  await (await start()).stop()
  const older = `${dir}/older`
  await writeMigrations(older, { '0000_first.sql': '' })
  await expect(start({ migrationsDir: older })).rejects.toMatchObject({ code: 'state_newer' })
  const orc = await start()
  expect(await call(orc, '/all', balances)).toMatchObject({ results: [{}, {}, { id: 'eve' }] })
})
