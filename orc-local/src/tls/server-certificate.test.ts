import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { openStateFolder, type StateFolder } from '../orc/state-folder.ts'
import { pinOf } from '../pinned-https.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { ownNames } from './own-names.ts'
import { makeSelfSigned } from './self-signed.ts'
import { type CertificateFiles, serverCertificate } from './server-certificate.ts'

const now = new Date('2026-06-01T00:00:00Z')
const inNineYears = new Date('2035-06-01T00:00:00Z')
const inElevenYears = new Date('2037-06-01T00:00:00Z')

async function stateFolder(): Promise<StateFolder> {
  return openStateFolder(join(await temporaryFolder(), 'state'))
}

test('an own certificate is made once, private, and renewed when it has expired', async () => {
  const folder = await stateFolder()
  const first = await serverCertificate('self-signed', folder, '0.0.0.0', now)
  expect(first).toMatchObject({
    isSelfSigned: true,
    replaced: false,
    pin: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
  })
  for (const path of [first.certificateFile, first.keyFile])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await serverCertificate('self-signed', folder, '0.0.0.0', inNineYears)).toEqual(first)
  const renewed = await serverCertificate('self-signed', folder, '0.0.0.0', inElevenYears)
  expect(renewed).toMatchObject({ replaced: true, isSelfSigned: true })
  expect(renewed.pin).not.toBe(first.pin)
  expect(await serverCertificate('self-signed', folder, '0.0.0.0', inElevenYears)).toEqual({
    ...renewed,
    replaced: false,
  })
})

test('it is ECDSA on P-256, for this machine under all its names, and its pin is that of its DER', async () => {
  const folder = await stateFolder()
  const { certificateFile, pin } = await serverCertificate('self-signed', folder, 'orc.lan', now)
  const certificate = new X509Certificate(await readFile(certificateFile))
  expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
  expect(certificate.ca).toBe(false)
  expect(pinOf(certificate)).toBe(pin)
  for (const name of ['localhost', 'orc.lan']) expect(certificate.checkHost(name)).toBe(name)
  for (const address of ['127.0.0.1', '::1', ...ownNames('::').addresses])
    expect(certificate.checkIP(address)).toBe(address)
  expect(certificate.checkHost('example.org')).toBeUndefined()
})

test('who trusts its file connects with the usual checks', async () => {
  const pair = await makeSelfSigned({ hosts: ['localhost'], addresses: [] }, new Date())
  const server = createServer({ cert: pair.certificate, key: pair.key })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const handshake = async (servername: string): Promise<boolean> => {
    const socket = connect({ host: '127.0.0.1', port, servername, ca: pair.certificate })
    try {
      await once(socket, 'secureConnect')
      return socket.authorized
    } finally {
      socket.destroy()
    }
  }
  expect(await handshake('localhost')).toBe(true)
  await expect(handshake('elsewhere.example')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})

test('an own certificate that is damaged is not replaced behind the back of those who pinned it', async () => {
  const folder = await stateFolder()
  const { keyFile, certificateFile } = await serverCertificate('self-signed', folder, '::', now)
  const other = await makeSelfSigned({ hosts: ['localhost'], addresses: [] }, now)
  for (const content of ['', 'no key', other.key]) {
    await writeFile(keyFile, content)
    await expect(serverCertificate('self-signed', folder, '::', now)).rejects.toMatchObject({
      code: 'state_broken',
    })
  }
  await rm(keyFile)
  await expect(serverCertificate('self-signed', folder, '::', now)).rejects.toMatchObject({
    code: 'state_broken',
  })
  await rm(certificateFile)
  expect(await serverCertificate('self-signed', folder, '::', now)).toMatchObject({ replaced: false })
})

async function given(): Promise<CertificateFiles & { readonly folder: StateFolder }> {
  const folder = await stateFolder()
  const files = { certificateFile: join(folder.dir, 'c.pem'), keyFile: join(folder.dir, 'k.pem') }
  const pair = await makeSelfSigned({ hosts: ['orc.lan'], addresses: ['10.0.0.7', '::7'] }, now)
  await Promise.all([writeFile(files.certificateFile, pair.certificate), writeFile(files.keyFile, pair.key)])
  return { ...files, folder }
}

test('a given certificate is used as it is', async () => {
  const { folder, ...files } = await given()
  const pin = pinOf(new X509Certificate(await readFile(files.certificateFile)))
  expect(await serverCertificate(files, folder, '::', now)).toEqual({
    ...files,
    pin,
    names: ['orc.lan', '10.0.0.7', '0:0:0:0:0:0:0:7'],
    isSelfSigned: true,
    replaced: false,
  })
})

test('a given certificate that cannot be used is refused, and why', async () => {
  const { folder, ...files } = await given()
  const attempt = (at = now): Promise<unknown> => serverCertificate(files, folder, '::', at)
  await expect(attempt(inElevenYears)).rejects.toMatchObject({ code: 'certificate_expired' })
  await expect(attempt(new Date('2020-01-01'))).rejects.toMatchObject({ code: 'certificate_invalid' })
  const other = await makeSelfSigned({ hosts: ['orc.lan'], addresses: [] }, now)
  await writeFile(files.keyFile, other.key)
  await expect(attempt()).rejects.toMatchObject({ code: 'certificate_mismatch' })
  await writeFile(files.keyFile, 'no key')
  await expect(attempt()).rejects.toMatchObject({ code: 'certificate_invalid' })
  await rm(files.keyFile)
  await expect(attempt()).rejects.toMatchObject({ code: 'certificate_missing' })
  await rm(files.certificateFile)
  await expect(attempt()).rejects.toMatchObject({ code: 'certificate_missing' })
})
