import { describe, expect, test } from 'vitest'
import { parseCertificatePin } from '../certificate-pin.ts'
import { isPrivateUrl } from '../private-address.ts'
import { orcTargets } from './orc-options.ts'

const [first, second] = ['https://a.test', 'https://b.test']
const pin = parseCertificatePin('ab'.repeat(32))

describe('the Orcs of a command line', () => {
  test('tokens and pins belong to them by order; an empty text stands for none', () => {
    expect(orcTargets({ orc: [first, second], enroll: ['', 'token'], pin: [pin, undefined] })).toEqual([
      { url: first, pin, enrolmentToken: undefined },
      { url: second, pin: undefined, enrolmentToken: 'token' },
    ])
    expect(orcTargets({ orc: [first, second] })).toMatchObject([{ url: first }, { url: second }])
    expect(orcTargets({ orc: [first, second], enroll: [''] })).toMatchObject([
      { url: first },
      { url: second },
    ])
  })

  test.each([
    ['fewer tokens than Orcs', { orc: [first, second], enroll: ['token'] }, 'options_mismatch'],
    ['more tokens than Orcs', { orc: [first], enroll: ['token', ''] }, 'options_mismatch'],
    ['fewer pins than Orcs', { orc: [first, second], pin: [pin] }, 'options_mismatch'],
    ['an Orc given twice', { orc: [first, second, first] }, 'duplicate_orc'],
    ['a pin without TLS', { orc: ['http://127.0.0.1'], pin: [pin] }, 'pin_without_tls'],
    ['no TLS to an Orc elsewhere', { orc: [first, 'http://orc.test'] }, 'insecure_orc'],
  ])('%s', (_, flags, code) => {
    expect(() => orcTargets(flags)).toThrow(expect.objectContaining({ code, exitCode: 2 }))
  })

  test('no TLS to an Orc elsewhere needs --insecure', () => {
    const target = { url: 'http://orc.test', pin: undefined, enrolmentToken: undefined }
    expect(orcTargets({ orc: ['http://orc.test'], insecure: true })).toEqual([target])
  })
})

describe('private addresses', () => {
  test.each([
    'http://localhost:8787',
    'http://orc.localhost',
    'http://127.0.0.1',
    'http://127.1.2.3',
    'http://10.1.2.3',
    'http://172.16.0.1',
    'http://172.31.255.255',
    'http://192.168.0.7:8443/path',
    'http://169.254.10.1',
    'http://[::1]:1',
    'http://[fd12:3456::1]',
    'http://[fe80::1]',
    'http://[::ffff:192.168.0.1]',
  ])('%s is one', (url) => {
    expect(isPrivateUrl(url)).toBe(true)
  })

  test.each([
    'http://orc.test',
    'http://localhost.evil.test',
    'http://127.0.0.1.evil.test',
    'http://evillocalhost',
    'http://8.8.8.8',
    'http://172.15.255.255',
    'http://172.32.0.1',
    'http://192.169.0.1',
    'http://11.0.0.1',
    'http://0.0.0.0',
    'http://100.64.0.1',
    'http://[2001:db8::1]',
    'http://[::]',
    'http://[::ffff:8.8.8.8]',
  ])('%s is none', (url) => {
    expect(isPrivateUrl(url)).toBe(false)
  })
})
