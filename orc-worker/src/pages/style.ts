/** The look of the pages: one column, in the colours that the reader's system prefers. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f7; --card: #ffffff; --text: #16181d; --quiet: #5b6270; --line: #d5d9e0;
  --accent: #2456d6; --on-accent: #ffffff; --bad: #b3261e; --good: #1b6e3c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101216; --card: #191c22; --text: #eceef2; --quiet: #a0a8b6; --line: #343a45;
    --accent: #84a6ff; --on-accent: #0b1020; --bad: #ff9a92; --good: #7fd8a1;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 1.5rem 1rem; min-height: 100dvh; display: grid; place-items: center;
  background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main {
  width: 100%; max-width: 26rem; padding: 1.75rem;
  background: var(--card); border: 1px solid var(--line); border-radius: .9rem;
}
h1 { margin: 0 0 1rem; font-size: 1.4rem; line-height: 1.25; }
h2 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
.orc { margin: 0 0 .25rem; color: var(--quiet); font-size: .875rem; }
.quiet { color: var(--quiet); font-size: .875rem; }
.bad { color: var(--bad); } .good { color: var(--good); }
form { margin: 0 0 1rem; }
label { display: block; margin: 0 0 .35rem; font-weight: 600; }
input, select, button, a.button {
  width: 100%; min-height: 2.9rem; padding: .6rem .85rem; font: inherit; border-radius: .55rem;
  border: 1px solid var(--line); background: var(--card); color: var(--text);
}
input, select { margin: 0 0 1rem; }
input.code { font-family: ui-monospace, monospace; font-size: 1.35rem; letter-spacing: .18em; text-align: center; }
button, a.button {
  display: inline-flex; align-items: center; justify-content: center;
  font-weight: 600; text-decoration: none; cursor: pointer;
}
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
:is(input, select, button, a):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
a { color: var(--accent); }
.ways { display: grid; gap: .75rem; margin: 0 0 1rem; }
.or { display: none; }
.or:has(+ .ways > :not([hidden])) { display: flex; align-items: center; gap: .75rem; margin: 1.25rem 0; color: var(--quiet); font-size: .875rem; }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--line); }
dl { margin: 0 0 1.25rem; border: 1px solid var(--line); border-radius: .55rem; }
dl div { padding: .55rem .85rem; } dl div + div { border-top: 1px solid var(--line); }
dt { color: var(--quiet); font-size: .8rem; } dd { margin: 0; overflow-wrap: anywhere; }
ul { margin: 0 0 1rem; padding: 0; list-style: none; }
li { display: flex; gap: .75rem; align-items: center; justify-content: space-between; margin: 0 0 .5rem; overflow-wrap: anywhere; }
li button { width: auto; min-height: 2.4rem; padding: .35rem .85rem; }
[hidden] { display: none !important; }
`
