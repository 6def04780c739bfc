import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { newGrant, oauthError, poll } from './support/device.ts'
import { call, newAccount } from './support/orc.ts'

const approve = (token: string, user_code: string) =>
  call('POST', '/api/device/approve', { token, body: { user_code } })

test('strangers at one address push out their own oldest grants and nobody else’s', async () => {
  const { token } = await newAccount('owner')
  const bystander = await newGrant({}, '198.51.100.1')
  const first = await newGrant({}, '198.51.100.2')
  const second = await newGrant({}, '198.51.100.2')
  for (let more = 0; more < 19; more++) await newGrant({}, '198.51.100.2')
  expect(await oauthError(await poll(first.device_code))).toEqual([400, 'expired_token'])
  expect(await oauthError(await poll(second.device_code))).toEqual([400, 'authorization_pending'])
  expect((await approve(token, bystander.user_code)).status).toBe(200)
})

test('strangers at many addresses cannot fill the database, nor push out what is approved', async () => {
  const { token } = await newAccount('owner')
  const approved = await newGrant({}, '198.51.100.3')
  await approve(token, approved.user_code)
  const now = Date.now()
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2100)
     INSERT INTO device_grants (hash, user_code_mac, status, host_id, host_name, network, address, interval_seconds, created_at, expires_at)
     SELECT 'flood-' || i, 'flood-' || i, 'pending', ?1, 'flood', 'public', 'address-' || i, 5, ?2 + i, ?2 + 600000 + i FROM n`,
  )
    .bind('A'.repeat(43), now)
    .run()
  const count = () =>
    env.DB.prepare('SELECT count(*) AS n FROM device_grants')
      .first<{ n: number }>()
      .then((row) => row?.n ?? 0)
  const before = await count()
  const newest = await newGrant({}, '198.51.100.4')
  expect(await count()).toBe(before)
  expect(await oauthError(await poll(newest.device_code))).toEqual([400, 'authorization_pending'])
  expect((await poll(approved.device_code)).status).toBe(200)
  await env.DB.prepare("DELETE FROM device_grants WHERE hash LIKE 'flood-%'").run()
})
