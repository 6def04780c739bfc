import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { base64UrlEncode } from '../domain/base64url.ts'
import { STYLE } from './style.ts'

/** A piece of a page. Values set into `html` are escaped, so that no text of others can become markup. */
export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>

export interface Page {
  readonly title: string
  readonly body: Markup
  /** Name of the Orc. */
  readonly orcName: string
  /** A script of this program, never with a value of a request in it. */
  readonly script?: string
  readonly status?: number
}

/** The answer that carries a page: it runs nothing but its own script, is framed by nobody and is kept nowhere. */
export async function pageResponse(page: Page): Promise<Response> {
  const nonce = base64UrlEncode(crypto.getRandomValues(new Uint8Array(16)))
  const script =
    page.script === undefined
      ? ''
      : html`<script nonce="${nonce}" type="module">
          ${raw(page.script)}
        </script>`
  const markup = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title} · ${page.orcName}</title>
        <style nonce="${nonce}">
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <p class="orc">${page.orcName}</p>
          <h1>${page.title}</h1>
          ${page.body}
        </main>
        ${script}
      </body>
    </html> `
  return new Response(markup, { status: page.status ?? 200, headers: pageHeaders(nonce) })
}

/** Headers of every page. */
export function pageHeaders(nonce: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cache-control': 'no-store',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'publickey-credentials-create=(self), publickey-credentials-get=(self)',
    // Not `no-referrer`: with it browsers send `Origin: null` with forms (Fetch §3.1), which is what a forged form sends too.
    // Nothing is told to another site with this one either.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  }
}
