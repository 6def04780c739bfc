import { describe, expect, test } from 'vitest'
import { hubFromEnvironment } from './hub.ts'
import { parseRemoteReference, type RemoteReference } from './model-reference.ts'
import { ModelServer } from './testing/model-server.ts'
import { MODEL, sha256Of, StoreSetup } from './testing/store-setup.ts'

const SHA256 = sha256Of(MODEL)
const TOKEN = 'hf_secret'

function referenceOf(text: string): RemoteReference {
  const parsed = parseRemoteReference(text)
  if (!parsed.ok) throw new Error(parsed.message)
  return parsed.reference
}

/** A hub that sends its readers to another server for the content, as Hugging Face does. */
async function startHub(setup: StoreSetup, linkedSha256 = SHA256): Promise<ModelServer> {
  const hub = await ModelServer.start(MODEL)
  hub.answer = ({ path }, response) => {
    if (path.startsWith('/u/r/resolve/')) {
      const location = `${setup.server.origin}/cdn/blob?signature=${hub.seen.length}`
      hub.refuse(response, 302, { location, 'x-linked-etag': `"${linkedSha256}"`, etag: '"of the hop"' })
    } else hub.refuse(response, 404)
  }
  return hub
}

describe('a file of the hub', () => {
  test('is fetched from where it redirects to, which never sees the token', async () => {
    await using setup = await StoreSetup.start()
    await using hub = await startHub(setup)
    const reference = referenceOf('hf:u/r/a b/nano.gguf#pr/1'.replace(' ', ''))
    const model = await setup.download({ reference, hub: { endpoint: hub.origin, token: TOKEN } })
    expect(model.sha256).toBe(SHA256)
    expect(hub.seen[0]?.path).toBe('/u/r/resolve/pr%2F1/ab/nano.gguf')
    expect(hub.seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${TOKEN}`])
    expect(setup.server.seen.length).toBeGreaterThan(4)
    expect(JSON.stringify(setup.server.seen)).not.toContain(TOKEN)
  })

  test('is the same file that a catalogue pins by its hash: it is fetched once', async () => {
    await using setup = await StoreSetup.start()
    await using hub = await startHub(setup)
    const order = {
      reference: referenceOf('hf:u/r/nano.gguf'),
      hub: { endpoint: hub.origin, token: undefined },
    }
    const { path } = await setup.download(order)
    const elsewhere = { source: 'url', url: 'http://127.0.0.1:1/other-name.gguf' } as const
    expect(await setup.download({ reference: elsewhere, expectedSha256: SHA256 })).toMatchObject({ path })
  })

  test('is refused if it is not what the hub says', async () => {
    await using setup = await StoreSetup.start()
    await using hub = await startHub(setup, 'b'.repeat(64))
    const order = {
      reference: referenceOf('hf:u/r/nano.gguf'),
      hub: { endpoint: hub.origin, token: undefined },
    }
    await expect(setup.download(order)).rejects.toMatchObject({ code: 'hash_mismatch' })
    expect(await setup.files()).toEqual([])
  })

  test('is asked for anew when the place of its redirect expires', async () => {
    await using setup = await StoreSetup.start()
    await using hub = await startHub(setup)
    setup.server.answer = (request, response) => {
      const fresh = request.path.endsWith(`=${hub.seen.length}`) && setup.server.seen.length % 4 !== 0
      if (fresh) setup.server.send(request, response)
      else setup.server.refuse(response, 403)
    }
    const order = { reference: referenceOf('hf:u/r/nano.gguf'), hub: { endpoint: hub.origin, token: TOKEN } }
    const model = await setup.download({ ...order, settings: { connections: 1 } })
    expect(model.sha256).toBe(SHA256)
    expect(hub.seen.length).toBeGreaterThan(2)
  })

  test('that is private is told apart, without its token', async () => {
    await using setup = await StoreSetup.start()
    setup.server.answer = (_, response) => setup.server.refuse(response, 401)
    const hub = { endpoint: setup.server.origin, token: TOKEN }
    const error: unknown = await setup
      .download({ reference: referenceOf('hf:u/r/nano.gguf'), hub })
      .catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'access_denied' })
    expect((error as Error).message).toContain('HF_TOKEN')
    expect((error as Error).message).not.toContain(TOKEN)
  })

  test('elsewhere gets no token, even from a server that redirects to the hub', async () => {
    await using setup = await StoreSetup.start()
    await using hub = await ModelServer.start(MODEL)
    setup.server.answer = (_, response) =>
      setup.server.refuse(response, 302, { location: `${hub.origin}/nano.gguf` })
    await setup.download({ hub: { endpoint: hub.origin, token: TOKEN } })
    expect(JSON.stringify([...hub.seen, ...setup.server.seen])).not.toContain(TOKEN)
  })

  test.each([
    ['in a circle', '/again'],
    ['to no address', 'http://['],
    ['to a file of this machine', 'file:///etc/passwd'],
  ])('is not followed %s', async (_, location) => {
    await using setup = await StoreSetup.start()
    setup.server.answer = (_, response) => setup.server.refuse(response, 302, { location })
    await expect(setup.download()).rejects.toMatchObject({ code: 'server_failed' })
    expect(setup.server.seen.length).toBeLessThanOrEqual(11)
  })
})

describe('a quantization', () => {
  async function withManifest(
    body: string,
    text = 'hf:u/r:q4_k_m',
  ): Promise<{ setup: StoreSetup; downloading: Promise<unknown> }> {
    const setup = await StoreSetup.start()
    setup.server.answer = (request, response) => {
      if (request.path.startsWith('/v2/')) response.end(body)
      else setup.server.send(request, response)
    }
    return { setup, downloading: setup.download({ reference: referenceOf(text) }) }
  }

  test('is the file that the hub chooses for it', async () => {
    const manifest = JSON.stringify({ ggufFile: { rfilename: 'q4/nano-Q4_K_M.gguf', size: 1 }, other: 1 })
    const { setup, downloading } = await withManifest(manifest)
    await using _ = setup
    expect(await downloading).toMatchObject({
      sha256: SHA256,
      reference: { source: 'hub-file', repository: 'u/r', file: 'q4/nano-Q4_K_M.gguf', revision: 'main' },
    })
    expect(setup.server.seen[0]?.path).toBe('/v2/u/r/manifests/q4_k_m')
    expect(setup.server.seen[0]?.headers['user-agent']).toBe('llama-cpp')
    expect(setup.server.seen[1]?.path).toBe('/u/r/resolve/main/q4/nano-Q4_K_M.gguf')
    expect(setup.server.seen[1]?.headers['user-agent']).toMatch(/^daisi-host\//)
  })

  test.each([
    ['there is none', '{"error":"no"}', 'model_not_found'],
    ['it is no JSON', '<html>', 'model_not_found'],
    ['it leaves the repository', '{"ggufFile":{"rfilename":"../x/m.gguf"}}', 'model_not_found'],
    ['it is cut into several', '{"ggufFile":{"rfilename":"m-00001-of-00002.gguf"}}', 'bad_reference'],
    ['the answer never ends', ' '.repeat(1_100_000), 'server_failed'],
  ])('is refused if %s', async (_, body, code) => {
    const { setup, downloading } = await withManifest(body)
    await using _setup = setup
    await expect(downloading).rejects.toMatchObject({ code })
    expect(setup.server.seen).toHaveLength(1)
  })
})

describe('the environment', () => {
  test('names the hub', () => {
    expect(hubFromEnvironment({})).toEqual({ endpoint: 'https://huggingface.co', token: undefined })
    expect(hubFromEnvironment({ HF_ENDPOINT: 'https://mirror.test/hf/', HF_TOKEN: ` ${TOKEN}\n` })).toEqual({
      endpoint: 'https://mirror.test/hf',
      token: TOKEN,
    })
  })

  test('is refused where it is wrong, and the token is not repeated', () => {
    expect(() => hubFromEnvironment({ HF_ENDPOINT: 'mirror.test' })).toThrow(
      expect.objectContaining({ code: 'bad_reference' }),
    )
    expect(() => hubFromEnvironment({ HF_TOKEN: 'se\ncret' })).toThrow(
      expect.objectContaining({ code: 'access_denied', message: expect.not.stringContaining('cret') }),
    )
  })
})
