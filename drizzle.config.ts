import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'sqlite',
  schema: ['./orc-worker/src/db/schema.ts', './orc-worker/src/db/book-schema.ts'],
  out: './migrations',
})
