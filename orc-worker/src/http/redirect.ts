/** Sends the browser elsewhere by GET (RFC 9110 §15.4.4). The address it leaves is told to nobody, and nothing is kept. */
export function redirectTo(location: string): Response {
  const headers = { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }
  return new Response(null, { status: 303, headers })
}
