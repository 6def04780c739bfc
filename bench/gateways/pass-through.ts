// The least that a gateway on this stack can do: hono on workerd hands request and answer through. Beyond it nothing on workerd gets.
import { Hono } from 'hono'

const app = new Hono<{ Bindings: { UPSTREAM: string } }>()

app.post('/v1/chat/completions', async (c) => {
  const { body, headers } = c.req.raw
  const contentType = headers.get('content-type') ?? 'application/json'
  const answer = await fetch(`${c.env.UPSTREAM}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body,
  })
  return new Response(answer.body, answer)
})

// oxlint-disable-next-line import/no-default-export -- what workerd serves
export default app
