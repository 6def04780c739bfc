// Secrets that an Orc may do without. `wrangler types` knows only those that wrangler.toml requires.
interface Env {
  readonly EMAIL_TOKEN?: string
  readonly GITHUB_CLIENT_SECRET?: string
}
