// Types only: the SDK takes them without taking zod (see AGENTS.md, "Bundles").
export type * from './chat.ts'
export type * from './error.ts'
export type * from './models.ts'
export type * from './sessions.ts'
export type * from './tokens.ts'
