import { request } from 'node:http'
import { expect, test } from 'vitest'
import { BUSY_STATUS } from '../testing/agent-status.ts'
import { MetricsServer } from './metrics-server.ts'
import { metricsText } from './metrics-text.ts'

test('every sample belongs to a family that is described, and labels are escaped', () => {
  const [model] = BUSY_STATUS.models
  const text = metricsText({ ...BUSY_STATUS, models: [{ ...model!, id: 'a"b\\c\nd' }] })
  const described = new Set([...text.matchAll(/^# TYPE (\S+) (?:gauge|counter)$/gm)].map(([, name]) => name))
  const lines = text.trimEnd().split('\n')
  for (const line of lines.filter((each) => !each.startsWith('#'))) {
    expect(line).toMatch(/^[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"\})? -?[\d.]+$/)
    expect(described).toContain(/^[a-z_]+/.exec(line)?.[0])
  }
  expect(text).toContain('daisi_host_model_jobs{model="a\\"b\\\\c\\nd"} 1\n')
  expect(text).toContain('daisi_host_tokens_total{kind="generated"} 2556\n')
  expect(text.endsWith('\n')).toBe(true)
})

test('it answers on loopback, to nobody who was led there by another name', async () => {
  const server = await MetricsServer.open(0, () => BUSY_STATUS)
  const url = `http://127.0.0.1:${server.port}`
  const answer = await fetch(`${url}/metrics`)
  expect(answer.headers.get('content-type')).toContain('text/plain')
  expect(await answer.text()).toBe(metricsText(BUSY_STATUS))
  expect((await fetch(`${url}/else`)).status).toBe(404)
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405)
  const status = await new Promise((resolve) => {
    const options = {
      port: server.port,
      host: '127.0.0.1',
      path: '/metrics',
      headers: { host: 'evil.example' },
    }
    request(options, (response) => resolve(response.statusCode)).end()
  })
  expect(status).toBe(421)
  await expect(MetricsServer.open(server.port, () => BUSY_STATUS)).rejects.toMatchObject({
    code: 'metrics_listen_failed',
  })
  await server.close()
})
