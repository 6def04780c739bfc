export { pinnedFetch } from './node/pinned-fetch.ts'
