// What the browser does for a passkey. No value of a request is ever set into these texts: the pages hand them over in
// attributes, which are escaped.

/** Says what went wrong where the reader looks, and sends JSON to this Orc. */
const COMMON = `
const note = document.querySelector('#passkey-note')
const domain = !/^[\\d.]+$|^\\[/.test(location.hostname)
const able = domain && typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential
async function send(method, path, body) {
  const init = { method, headers: { 'content-type': 'application/json' } }
  if (body !== undefined) init.body = JSON.stringify(body)
  const response = await fetch(path, init)
  const answer = await response.json().catch(() => undefined)
  if (!response.ok) throw Object.assign(new Error(answer?.error?.message ?? 'The Orc did not answer. Try again.'), { code: answer?.error?.code })
  return answer
}
function onClick(button, work) {
  button.addEventListener('click', async () => {
    button.disabled = true
    note.hidden = true
    try {
      await work(button)
    } catch (error) {
      // The page as it is by now says what to do.
      if (error.code === 'login_too_old') return location.reload()
      note.textContent = error.name === 'NotAllowedError' ? 'No passkey was used. Try again, or take another way.' : error.message
      note.hidden = false
    } finally {
      button.disabled = false
    }
  })
}
`

/** Logs in with a passkey and goes where the button says. */
export const PASSKEY_LOGIN_SCRIPT = `${COMMON}
const button = document.querySelector('#passkey-login')
button.hidden = !able
onClick(button, async () => {
  const { flow, options } = await send('POST', '/api/login/passkey/options', {})
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  const credential = await navigator.credentials.get({ publicKey })
  await send('POST', '/api/login/passkey', { flow, credential: credential.toJSON() })
  location.assign(button.dataset.next)
})
`

/** Adds and removes passkeys of whoever is logged in. */
export const PASSKEY_MANAGE_SCRIPT = `${COMMON}
const add = document.querySelector('#passkey-add')
add.hidden = !able
onClick(add, async () => {
  const { flow, options } = await send('POST', '/api/me/passkeys/options', {})
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = await navigator.credentials.create({ publicKey })
  const name = navigator.userAgentData?.platform || navigator.platform || 'Passkey'
  await send('POST', '/api/me/passkeys', { flow, name, credential: credential.toJSON() })
  location.reload()
})
for (const remove of document.querySelectorAll('button[data-passkey]')) {
  onClick(remove, async () => {
    await send('DELETE', '/api/me/passkeys/' + encodeURIComponent(remove.dataset.passkey))
    location.reload()
  })
}
`
