import { base64UrlEncode } from '../domain/base64url.ts'
import type { Content, OpenApiDocument, OpenApiOperation, Parameter, Reference } from '../openapi/open-api.ts'
import { DOCS_STYLE } from './docs-style.ts'
import { escapeHtml } from './escape-html.ts'
import { pageHeaders } from './page.ts'
import { schemaMarkup } from './schema-markup.ts'

interface Entry {
  readonly method: string
  readonly path: string
  readonly operation: OpenApiOperation
}

/** The page that describes every route. It runs no script and loads nothing from anywhere. */
export function docsPage(document: OpenApiDocument, orcName: string): Response {
  const nonce = base64UrlEncode(crypto.getRandomValues(new Uint8Array(16)))
  const { info, tags, components } = document
  const entries = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Entry => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  )
  const title = escapeHtml(`${info.title} · ${orcName}`)
  const links = [...tags.map(({ name }) => name), 'Schemas']
  const markup = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style nonce="${nonce}">${DOCS_STYLE}</style>
</head>
<body>
<header><h1>${title}</h1><p class="quiet">Version ${escapeHtml(info.version)} · <a href="/openapi.json">openapi.json</a></p>
${paragraphs(info.description)}</header>
<nav aria-label="Sections"><ul>${links.map((name) => `<li><a href="#${slug(name)}">${escapeHtml(name)}</a></li>`).join('')}</ul></nav>
<main>
${tags.map(({ name, description }) => section(name, description, entries, components.parameters)).join('\n')}
<section><h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas)
  .map(
    ([name, schema]) =>
      `<details id="schema-${escapeHtml(name)}"><summary>${escapeHtml(name)}</summary><div>${schemaMarkup(schema)}</div></details>`,
  )
  .join('\n')}
</section>
</main>
</body>
</html>
`
  return new Response(markup, { headers: { ...pageHeaders(nonce), 'cache-control': 'public, max-age=300' } })
}

function section(
  tag: string,
  description: string,
  entries: readonly Entry[],
  parameters: Readonly<Record<string, Parameter>>,
): string {
  const own = entries.filter(({ operation }) => operation.tags.includes(tag))
  return `<section><h2 id="${slug(tag)}">${escapeHtml(tag)}</h2><p>${escapeHtml(description)}</p>
${own.map((entry) => entryMarkup(entry, parameters)).join('\n')}</section>`
}

function entryMarkup({ method, path, operation }: Entry, known: Readonly<Record<string, Parameter>>): string {
  const { operationId, summary, description = '', security, requestBody, responses } = operation
  const parameters = operation.parameters.flatMap((each) => resolved(each, known))
  const ways = security.flatMap((way) => Object.keys(way))
  const access =
    ways.length === 0
      ? 'Anybody may ask.'
      : `Credentials: ${ways.map((way) => `<code>${escapeHtml(way)}</code>`).join(' or ')}.`
  return `<details id="${escapeHtml(operationId)}"><summary><span class="method">${method}</span> <code>${escapeHtml(path)}</code> ${escapeHtml(summary)}</summary><div>
${paragraphs(description)}<p class="quiet">${access}</p>
${parameters.length === 0 ? '' : `<h3>Parameters</h3><table>${parameters.map(parameterRow).join('')}</table>`}
${requestBody === undefined ? '' : `<h3>Body</h3>${contentMarkup(requestBody.content)}`}
<h3>Answers</h3><table>${Object.entries(responses)
    .map(
      ([status, { description: about, content = {} }]) =>
        `<tr><th scope="row">${status}</th><td>${inline(about)}${contentMarkup(content)}</td></tr>`,
    )
    .join('')}</table></div></details>`
}

function resolved(parameter: Parameter | Reference, known: Readonly<Record<string, Parameter>>): Parameter[] {
  if (!('$ref' in parameter)) return [parameter]
  const found = known[parameter.$ref.split('/').at(-1) ?? '']
  return found === undefined ? [] : [found]
}

function parameterRow({ name, in: place, description = '', required, schema }: Parameter): string {
  const mark = required === true ? '' : ' <span class="quiet">optional</span>'
  return `<tr><th scope="row"><code>${escapeHtml(name)}</code>${mark}</th><td class="place">${place}</td><td>${schemaMarkup(schema)} ${inline(description)}</td></tr>`
}

function contentMarkup(content: Content): string {
  return Object.entries(content)
    .map(([media, { schema, example }]) => {
      const shown =
        example === undefined ? '' : `<pre>${escapeHtml(JSON.stringify(example, undefined, 2))}</pre>`
      return `<p><code>${escapeHtml(media)}</code> ${schemaMarkup(schema)}</p>${shown}`
    })
    .join('')
}

function paragraphs(text: string): string {
  return text === ''
    ? ''
    : text
        .split('\n\n')
        .map((paragraph) => `<p>${inline(paragraph)}</p>`)
        .join('')
}

/** Text with code between backticks. */
function inline(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}

function slug(name: string): string {
  return name.toLowerCase().replaceAll(' ', '-')
}
