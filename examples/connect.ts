import { Daisi } from 'daisi-sdk'

/** Where the Orc is and what to show it: `npm start` prints both. */
export const baseURL = process.env['DAISI_BASE_URL'] ?? 'http://127.0.0.1:8787/v1'
export const apiKey = process.env['DAISI_API_KEY'] ?? ''
export const model = process.env['DAISI_MODEL'] ?? 'daisi-nano'

export const daisi = new Daisi({ baseURL, apiKey })
