import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { isSetUp } from '../is-set-up.ts'
import { formatFingerprint, requestOrc } from '../pinned-https.ts'
import { call, test } from '../testing/orc-fixture.ts'
import { makeSelfSigned } from '../tls/self-signed.ts'

test('an Orc serves HTTPS under a certificate of its own, the same at every start', async ({
  start,
  options,
}) => {
  const first = await start({ tls: 'self-signed' })
  expect(first.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  expect(await call(first, '/vars')).toMatchObject({ name: 'DAISI' })
  const key = await readFile(join(options.stateDir, 'tls-key.pem'), 'utf8')
  expect(await readFile(join(options.stateDir, 'workerd.capnp'), 'utf8')).not.toContain(key.split('\n')[1])
  await first.stop()
  const second = await start({ tls: 'self-signed' })
  expect(second.certificate).toEqual(first.certificate)
  expect(await call(second, '/health')).toEqual({ ok: true })
})

test('nobody is trusted but the pinned one, and plain HTTP gets no answer', async ({ start }) => {
  const orc = await start({ tls: 'self-signed' })
  await expect(requestOrc(new URL(orc.url))).rejects.toThrow(TypeError)
  const pin = `sha256:${'0'.repeat(64)}`
  await expect(requestOrc(new URL(orc.url), {}, pin)).rejects.toMatchObject({ name: 'PinMismatch' })
  await expect(isSetUp({ ...orc, certificate: { pin } })).rejects.toMatchObject({ exitCode: 9 })
  await expect(isSetUp({ ...orc, certificate: undefined })).rejects.toMatchObject({ exitCode: 8 })
  await expect(fetch(orc.url.replace('https:', 'http:'))).rejects.toThrow(TypeError)
})

test('it serves a given certificate', async ({ start, dir }) => {
  const pair = await makeSelfSigned({ hosts: ['orc.lan'], addresses: [] }, new Date())
  const files = { certificateFile: join(dir, 'c.pem'), keyFile: join(dir, 'k.pem') }
  await writeFile(files.certificateFile, pair.certificate)
  await writeFile(files.keyFile, pair.key)
  const orc = await start({ tls: files })
  expect(await call(orc, '/health')).toEqual({ ok: true })
  expect(formatFingerprint(orc.certificate?.pin ?? '')).toMatch(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/)
})

test('a certificate that cannot be used stops the start, and the state folder is free again', async ({
  start,
  dir,
}) => {
  const tls = { certificateFile: join(dir, 'c.pem'), keyFile: join(dir, 'k.pem') }
  await expect(start({ tls })).rejects.toMatchObject({ code: 'certificate_missing' })
  await start()
})
