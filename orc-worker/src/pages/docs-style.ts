/** The look of the description of the Orc: wide, in the colours that the reader's system prefers. */
export const DOCS_STYLE = `
:root { color-scheme: light dark; --quiet: #5b6270; --line: #d5d9e0; --accent: #2456d6; --ground: #f4f5f7; }
@media (prefers-color-scheme: dark) {
  :root { --quiet: #a0a8b6; --line: #343a45; --accent: #84a6ff; --ground: #191c22; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { margin: 2.5rem 0 .5rem; font-size: 1.25rem; } h3 { margin: 1rem 0 .25rem; font-size: 1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
a { color: var(--accent); }
details { margin: .5rem 0; border: 1px solid var(--line); border-radius: .5rem; }
summary { padding: .5rem .75rem; cursor: pointer; }
details > div { padding: 0 .75rem .75rem; }
code, pre { font: .875rem/1.45 ui-monospace, monospace; }
pre { padding: .75rem; overflow-x: auto; background: var(--ground); border-radius: .5rem; white-space: pre-wrap; }
.method { display: inline-block; min-width: 4rem; font-weight: 700; }
.quiet { color: var(--quiet); }
table { width: 100%; border-collapse: collapse; }
th .quiet { font-weight: 400; }
td.place { white-space: nowrap; }
th, td { padding: .3rem .5rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
ul.fields { margin: 0; padding-left: 1.1rem; }
:is(a, summary):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`
