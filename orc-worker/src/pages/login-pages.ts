import { html } from 'hono/html'
import { HOME_PATH } from '../domain/return-path.ts'
import type { Markup } from './page.ts'

/** Which ways in this Orc has. */
export interface Ways {
  readonly email: boolean
  readonly github: boolean
}

/** The ways in. `next` is one of our own paths: where the login leads. */
export function waysIn(ways: Ways, next: string, problem?: string): Markup {
  const query = next === HOME_PATH ? '' : `?return_to=${encodeURIComponent(next)}`
  const github = html`<a class="button" href="/login/github${query}">Continue with GitHub</a>`
  return html`${problemLine(problem)} ${ways.email ? emailForm(next) : ''}
    <div class="ways">
      ${ways.github ? github : ''}
      <button type="button" id="passkey-login" data-next="${next}" hidden>Use a passkey</button>
    </div>
    <p class="bad" id="passkey-note" role="alert" hidden></p>
    ${ways.email || ways.github ? '' : html`<p class="quiet">Nothing else is set up on this Orc. Whoever runs it can switch on login by e-mail or GitHub.</p>`}`
}

/** Asks for the code that was sent. It says the same whether or not one was. */
export function enterLoginCode(
  login: { readonly email: string; readonly flow: string; readonly next: string; readonly again: string },
  problem?: string,
): Markup {
  const { email, flow, next, again } = login
  return html`<p>If <strong>${email}</strong> may log in here, a code of six digits is on its way there.</p>
    ${problemLine(problem)}
    <form method="post" action="/login/code">
      <input type="hidden" name="flow" value="${flow}" />
      <input type="hidden" name="email" value="${email}" />
      <input type="hidden" name="return_to" value="${next}" />
      <label for="code">Code</label>
      <input
        class="code"
        id="code"
        name="code"
        inputmode="numeric"
        autocomplete="one-time-code"
        maxlength="12"
        required
        autofocus
      />
      <button class="main" type="submit">Log in</button>
    </form>
    <p class="quiet">
      Nothing came? Look among the unwanted messages, or <a href="${again}">begin again</a>.
    </p>`
}

export interface Home {
  /** What the person is called here. */
  readonly label: string
  readonly invitations: readonly { readonly id: string; readonly account: string; readonly role: string }[]
  readonly passkeys: readonly { readonly id: string; readonly name: string }[]
  /** False once the login is too old for it. */
  readonly mayChangePasskeys: boolean
}

/** What somebody sees who is logged in. */
export function home({ label, invitations, passkeys, mayChangePasskeys }: Home): Markup {
  const addPasskey = html`<div class="ways">
    <button type="button" id="passkey-add" hidden>Add a passkey</button>
  </div>`
  return html`<p>You are logged in as <strong>${label}</strong>.</p>
    ${invitations.map(invitationForm)}
    <h2>Passkeys</h2>
    <p class="quiet">
      With a passkey you log in by the lock of your phone or computer, and no page but this one can ask for
      it.
    </p>
    <ul>
      ${passkeys.map((passkey) => passkeyLine(passkey, mayChangePasskeys))}
    </ul>
    ${mayChangePasskeys ? addPasskey : logInAgain()}
    <p class="bad" id="passkey-note" role="alert" hidden></p>
    <h2>Hosts</h2>
    <p><a href="/device">Let a Host in by its code</a></p>
    <form method="post" action="/login/end"><button type="submit">Log out</button></form>`
}

function emailForm(next: string): Markup {
  return html`<form method="post" action="/login/email">
      <input type="hidden" name="return_to" value="${next}" />
      <label for="email">E-mail address</label>
      <input id="email" name="email" type="email" autocomplete="email" maxlength="254" required />
      <button class="main" type="submit">Send me a code</button>
    </form>
    <p class="or">or</p>`
}

function invitationForm({ id, account, role }: Home['invitations'][number]): Markup {
  return html`<form method="post" action="/login/invitation">
    <input type="hidden" name="invitation" value="${id}" />
    <p>You are invited to <strong>${account}</strong> as ${role}.</p>
    <button class="main" type="submit">Join ${account}</button>
  </form>`
}

function passkeyLine({ id, name }: Home['passkeys'][number], isRemovable: boolean): Markup {
  const remove = html`<button type="button" data-passkey="${id}">Remove</button>`
  return html`<li><span>${name}</span>${isRemovable ? remove : ''}</li>`
}

function logInAgain(): Markup {
  return html`<form method="post" action="/login/end">
    <p class="quiet">You logged in a while ago. To add or remove a passkey, log in again.</p>
    <button type="submit">Log in again</button>
  </form>`
}

function problemLine(problem: string | undefined): Markup | string {
  return problem === undefined ? '' : html`<p class="bad" role="alert">${problem}</p>`
}
