import { html } from 'hono/html'
import type { DeviceGrant } from '../db/device-grants.ts'
import { howLongAgo } from '../domain/how-long-ago.ts'
import type { Markup } from './page.ts'

/** An account that a Host can be added to. */
export interface AccountChoice {
  readonly id: string
  readonly name: string
}

/** Asks for the code. One that came with the address stands there already, and waits for a press of the button (RFC 8628 §3.3.1). */
export function enterCode(userCode: string, problem?: string): Markup {
  return html`<p>Enter the code that your Host shows.</p>
    ${problem === undefined ? '' : html`<p class="bad" role="alert">${problem}</p>`}
    <form method="post" action="/device">
      <label for="user_code">Code</label>
      <input
        class="code"
        id="user_code"
        name="user_code"
        value="${userCode}"
        maxlength="64"
        required
        autofocus
        autocomplete="off"
        autocapitalize="characters"
        spellcheck="false"
        placeholder="BCDF-GHJK"
      />
      <button class="main" type="submit">Continue</button>
    </form>
    <p class="quiet">No Host of yours asked for this? Close this page: nothing happens.</p>`
}

/** Shows who asks (RFC 8628 §5.4), and leaves the decision to the reader. */
export function confirmHost(
  grant: DeviceGrant,
  userCode: string,
  accounts: readonly AccountChoice[],
  now: number,
  problem?: string,
): Markup {
  return html`${problem === undefined ? '' : html`<p class="bad" role="alert">${problem}</p>`}
    <p>This Host wants to join. <strong>Approve it only if you have just started it yourself.</strong></p>
    <dl>
      <div>
        <dt>Calls itself</dt>
        <dd>${grant.hostName}</dd>
      </div>
      <div>
        <dt>Id</dt>
        <dd><code>${grant.hostId}</code></dd>
      </div>
      <div>
        <dt>Network</dt>
        <dd>${grant.network}</dd>
      </div>
      <div>
        <dt>Asked from</dt>
        <dd>${grant.address}, ${howLongAgo(grant.createdAt, now)}</dd>
      </div>
    </dl>
    <form method="post" action="/device">
      <input type="hidden" name="user_code" value="${userCode}" />
      <input type="hidden" name="host_id" value="${grant.hostId}" />
      ${accountChoice(accounts)}
      <div class="ways">
        <button class="main" type="submit" name="decision" value="approve">Approve</button>
        <button type="submit" name="decision" value="deny">Deny</button>
      </div>
    </form>
    <p class="quiet">
      The Host will belong to this account and earn credits for it. It can never spend them.
    </p>`
}

/** What became of it. */
export function decided(hostName: string, approved: boolean): Markup {
  return approved
    ? html`<p class="good" role="status">
        ${hostName} is let in. It goes on by itself; you can close this page.
      </p>`
    : html`<p role="status">${hostName} was turned away. You can close this page.</p>`
}

/** For somebody who may not add Hosts anywhere. */
export function noAccount(): Markup {
  return html`<p class="bad" role="alert">None of your accounts lets you add Hosts.</p>
    <p>Ask an owner of the account to make you a member, then open this page again.</p>`
}

function accountChoice(accounts: readonly AccountChoice[]): Markup {
  const [only] = accounts
  if (accounts.length === 1 && only !== undefined) {
    return html`<input type="hidden" name="account" value="${only.id}" />
      <p>It will belong to <strong>${only.name}</strong>.</p>`
  }
  const options = accounts.map(({ id, name }) => html`<option value="${id}">${name}</option>`)
  return html`<label for="account">Account it will belong to</label>
    <select id="account" name="account" required>
      ${options}
    </select>`
}
