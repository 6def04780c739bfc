// A stand-in for the Orc Worker: the same Durable Object classes and the same database binding, nothing else.
import { DurableObject } from 'cloudflare:workers'

/** Keeps a counter that survives a crash, and one WebSocket per connection, as a connected Host has. */
export class HostConnection extends DurableObject {
  increment() {
    const { sql } = this.ctx.storage
    sql.exec('CREATE TABLE IF NOT EXISTS counter (value INTEGER NOT NULL)')
    if (sql.exec('SELECT 1 FROM counter').toArray().length === 0) sql.exec('INSERT INTO counter VALUES (0)')
    return sql.exec('UPDATE counter SET value = value + 1 RETURNING value').one().value
  }

  fetch(request) {
    if (request.headers.get('upgrade') !== 'websocket') return Response.json(caller(request))
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    server.send(JSON.stringify(caller(request)))
    return new Response(null, { status: 101, webSocket: client })
  }

  /** Without this workerd neither answers the close nor forgets the socket. */
  webSocketClose(socket, code) {
    socket.close(code === 1005 || code === 1006 ? 1000 : code)
  }
}

export class NetworkDirectory extends DurableObject {}
export class ConsumerSession extends DurableObject {}
export class Bookkeeper extends DurableObject {}
export class RateLimiter extends DurableObject {}

const statement = (env, { sql, params = [] }) => env.DB.prepare(sql).bind(...params)

/** What the Worker is told about its caller. */
const caller = (request) => ({
  clientIp: request.cf?.clientIp ?? null,
  header: request.headers.get('cf-connecting-ip'),
})

const routes = {
  '/caller': (_body, _env, request) => caller(request),
  '/caller-in-object': async (_body, env, request) =>
    (await env.HOSTS.getByName('one').fetch(request)).json(),
  '/ask': async (body) => (await fetch(body.url)).text(),
  '/say': (body) => {
    // oxlint-disable-next-line no-console -- what the Worker says is read by tests
    for (const line of body) console.log(line)
    return null
  },
  '/complain': (body) => {
    // oxlint-disable-next-line no-console -- the same
    for (const line of body) console.error(line)
    return null
  },
  '/private': (_body, env) => ({
    addresses: env.ALLOWED_ADDRESSES,
    hosts: env.ALLOWED_HOSTS,
    signUp: env.SIGN_UP,
    token: env.EMAIL_TOKEN ?? null,
    github: env.GITHUB_CLIENT_SECRET ?? null,
  }),
  '/health': () => ({ ok: true }),
  '/vars': (_body, env) => ({ name: env.ORC_NAME, grant: env.SIGNUP_GRANT, setup: env.SETUP_TOKEN }),
  '/all': (body, env) => statement(env, body).all(),
  '/raw': (body, env) => statement(env, body).raw({ columnNames: true }),
  '/batch': (body, env) => env.DB.batch(body.map((query) => statement(env, query))),
  '/exec': (body, env) => env.DB.exec(body.sql),
  '/increment': (_body, env) => env.HOSTS.getByName('one').increment(),
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url)
    if (request.headers.get('upgrade') === 'websocket') return env.HOSTS.getByName('one').fetch(request)
    const route = routes[pathname]
    if (route === undefined) return new Response(null, { status: 404 })
    try {
      return Response.json(
        await route(request.method === 'POST' ? await request.json() : undefined, env, request),
      )
    } catch (error) {
      return Response.json({ message: error.message, cause: error.cause?.message }, { status: 500 })
    }
  },
}
