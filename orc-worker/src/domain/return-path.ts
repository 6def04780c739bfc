/** Where a login leads when nothing else was asked for. */
export const HOME_PATH = '/login'

/** The pages that a login may lead back to. Anything else in `return_to`, above all another site, is dropped. */
const RETURN_PATHS = /^\/device(?:\?user_code=[A-Za-z0-9-]{1,16})?$/

/** The path to go to after a login: the one asked for if it is on the list, otherwise the home of whoever is logged in. */
export function returnPath(asked: string | undefined): string {
  return asked !== undefined && RETURN_PATHS.test(asked) ? asked : HOME_PATH
}

/** Where a login begins that leads to `path` afterwards. */
export function loginPath(path: string): string {
  return path === HOME_PATH ? HOME_PATH : `${HOME_PATH}?return_to=${encodeURIComponent(path)}`
}
