/**
 * One JSON line for the operator. Fields are an allow-list by construction: callers name ids, codes and counts, never a
 * prompt, an answer, a key or a token. An error contributes its message only.
 */
export function logEvent(event: string, fields: Readonly<Record<string, unknown>>): void {
  const plain = Object.entries(fields).map(([name, value]) => [
    name,
    value instanceof Error ? describe(value) : value,
  ])
  // oxlint-disable-next-line no-console -- the only sink that Workers have
  console.log(JSON.stringify({ event, ...Object.fromEntries(plain) }))
}

// D1 puts SQL parameters into the outer message of a failed query; the reason stands in the innermost cause.
function describe(error: Error): string {
  return error.cause instanceof Error ? describe(error.cause) : `${error.name}: ${error.message}`
}
