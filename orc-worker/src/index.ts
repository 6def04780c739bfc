import { createApp } from './app.ts'

export { Bookkeeper } from './objects/bookkeeper/object.ts'
export { HostConnection } from './objects/host/object.ts'
export { RateLimiter } from './objects/limiter/object.ts'
export { NetworkDirectory } from './objects/directory/object.ts'
export { ConsumerSession } from './objects/session/object.ts'

export default createApp() satisfies ExportedHandler<Env>
