import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'sqlite',
  schema: ['schema', 'book-schema', 'identity-schema', 'network-schema', 'catalogue-schema'].map(
    (name) => `./orc-worker/src/db/${name}.ts`,
  ),
  out: './migrations',
})
