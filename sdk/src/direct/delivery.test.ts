import { describe, expect, test } from 'vitest'
import { utf8Length } from './consumer-key.ts'
import { Delivery } from './delivery.ts'
import { isSafeEndpoint } from './endpoint.ts'
import { promptBound } from './prompt-size.ts'

const bounds = { promptTokens: 100, maxTokens: undefined, budget: 1_000 }

function begun(maxTokens?: number): Delivery {
  const delivery = Delivery.begin('10', '4', { ...bounds, maxTokens })
  if (delivery === undefined) throw new Error('an honest Host was refused')
  return delivery
}

describe('the headers of an answer', () => {
  test.each([
    ['100', '100', true],
    ['0', null, true],
    ['101', '0', false],
    ['10', '11', false],
    ['-1', '0', false],
    ['1.5', '0', false],
    ['1e1', '0', false],
    ['', '0', false],
    [null, null, false],
    ['10', 'x', false],
    ['99999999999', '0', false],
  ])('[D6] %s prompt tokens, %s cached of at most 100: %s', (prompt, cached, isPossible) => {
    expect(Delivery.begin(prompt, cached, bounds) !== undefined).toBe(isPossible)
  })

  test('[D6] never more than the budget of the token', () => {
    expect(Delivery.begin('90', '0', { ...bounds, budget: 89 })).toBeUndefined()
    const delivery = Delivery.begin('90', '0', { ...bounds, budget: 92 })
    expect(delivery?.add('2', utf8Length('two'))).toBe(true)
    expect(delivery?.add('3', utf8Length('three'))).toBe(false)
  })
})

describe('the events of an answer', () => {
  test('[D6] more tokens than were asked for', () => {
    expect(begun(3).add('3', utf8Length('abc'))).toBe(true)
    expect(begun(3).add('4', utf8Length('abcd'))).toBe(false)
  })

  test('[D6] a count that falls', () => {
    const delivery = begun()
    expect([
      delivery.add('5', utf8Length('hello')),
      delivery.add('5', utf8Length('')),
      delivery.add('4', utf8Length('x')),
    ]).toEqual([true, true, false])
  })

  test.each(['-1', '1.0', 'abc', '1e3', ' 1', '0x1'])('[D6] %j is no count', (id) => {
    expect(begun().add(id, utf8Length('some text'))).toBe(false)
  })

  test('[D6] more tokens than text and a window are a lie; up to there only the bytes are acknowledged', () => {
    const delivery = begun()
    expect(delivery.add('66', utf8Length('ab'))).toBe(true)
    expect(delivery.received).toEqual({ promptTokens: 10, cachedTokens: 4, generatedTokens: 2 })
    expect(delivery.add('67', utf8Length(''))).toBe(false)
  })

  test('[D6] more text than the tokens can have is no answer', () => {
    expect(begun().add('1', utf8Length('x'.repeat(65 * 1_024)))).toBe(true)
    expect(begun().add('1', utf8Length('x'.repeat(65 * 1_024 + 1)))).toBe(false)
  })

  test('bytes are counted in UTF-8', () => {
    const delivery = begun()
    delivery.add('7', utf8Length('🌍ßa'))
    expect(delivery.received.generatedTokens).toBe(7)
  })

  test('[D6] an acknowledgement never says less, and each is due once', () => {
    const delivery = begun()
    const said: number[] = []
    const sendDue = (isEnd: boolean): void => {
      const due = delivery.due(isEnd)
      if (due !== undefined) said.push(due.generatedTokens)
    }
    delivery.add('0', utf8Length(''))
    sendDue(false)
    for (let tokens = 1; tokens <= 100; tokens += 1) {
      delivery.add(String(tokens), utf8Length('word '))
      sendDue(false)
    }
    sendDue(true)
    sendDue(true)
    expect(said).toEqual([1, 33, 65, 97, 100])
  })

  test('[D7] what brought nothing is not acknowledged', () => {
    const delivery = begun()
    delivery.add('0', utf8Length(''))
    expect([delivery.due(false), delivery.due(true)]).toEqual([undefined, undefined])
  })

  test('the usage at the end is what was stated before', () => {
    const delivery = begun()
    delivery.add('2', utf8Length('ab'))
    const usage = {
      prompt_tokens: 10,
      completion_tokens: 2,
      total_tokens: 12,
      prompt_tokens_details: { cached_tokens: 4 },
    }
    expect(delivery.matches(usage)).toBe(true)
    expect(delivery.matches({ ...usage, completion_tokens: 3 })).toBe(false)
    expect(delivery.matches({ ...usage, prompt_tokens: 11 })).toBe(false)
  })
})

test.each([
  [[{ role: 'user', content: '' }], 80],
  [[{ role: 'user', content: 'Grüße' }], 87],
  [
    [
      { role: 'system', content: 'ab' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'c' },
          { type: 'text', text: '🌍' },
        ],
      },
    ],
    103,
  ],
] as const)('[P4] the most tokens that %j can have', (messages, bound) => {
  expect(promptBound({ messages })).toBe(bound)
})

describe('where a prompt may be sent', () => {
  test.each([
    'https://host.example',
    'https://host.example:8443/daisi',
    'https://1.2.3.4:1',
    'http://localhost:1',
    'http://a.localhost',
    'http://localhost.',
    'http://a.localhost.:1',
    'http://10.1.2.3.',
    'http://127.0.0.1:8',
    'http://127.9.9.9',
    'http://10.1.2.3',
    'http://172.16.0.1',
    'http://172.31.255.1',
    'http://192.168.1.5:8443',
    'http://169.254.1.1',
    'http://[::1]:80',
    'http://[fd00::2]',
    'http://[fe80::1]',
  ])('[D10] %s', (endpoint) => {
    expect(isSafeEndpoint(endpoint)).toBe(true)
  })

  test.each([
    'http://host.example',
    'http://8.8.8.8',
    'http://172.32.0.1',
    'http://11.0.0.1',
    'http://192.169.0.1',
    'http://10.0.0.1.evil.example',
    'http://127.0.0.1.example',
    'http://notlocalhost',
    'http://localhost.example',
    'http://[2001:db8::1]',
    // Not fc00::/7 or fe80::/10, though they begin alike.
    'http://[fc0::1]',
    'http://[fd:1:2::3]',
    'http://[fe8::1]',
    'http://[fec0::1]',
    // Private addresses inside others: NAT64, 6to4, IPv4-compatible, IPv4-translated.
    'http://[64:ff9b::10.0.0.1]',
    'http://[64:ff9b::7f00:1]',
    'http://[2002:a00:1::1]',
    'http://[::127.0.0.1]',
    'http://[::10.0.0.1]',
    'http://[::ffff:0:10.0.0.1]',
    // Multicast, broadcast, unspecified.
    'http://224.0.0.1',
    'http://239.255.255.250',
    'http://255.255.255.255',
    'http://[ff02::1]',
    'http://0.0.0.0',
    'http://[::]',
    'http://host.example.',
    'http://localhost..',
    'http://localhost.example.',
    'http://[fdx.example]',
    'http://user:word@127.0.0.1',
    'https://host.example/',
    'https://host.example?a',
    'https://host.example#a',
    'ftp://127.0.0.1',
    'file:///etc/passwd',
    'host.example',
    '',
  ])('[D10] not %s', (endpoint) => {
    expect(isSafeEndpoint(endpoint)).toBe(false)
  })
})
