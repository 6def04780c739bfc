/** Bodies up to so many bytes need no place: connections bound what they take together. */
export const SMALL_BODY_BYTES = 64 * 1024

/** Large bodies that are read at once. With 4 MiB each they bound the memory that requests can take. */
const MOST = 32
const MOST_OF_ISSUER = MOST / 2
const MOST_OF_TOKEN = 2

/** Whose body it is. */
export interface BodySender {
  readonly issuer: string
  readonly tokenId: string
}

/** The places for large bodies that are on their way. Nobody takes so many that others find none. */
export class BodyPlaces {
  readonly #taken = new Set<BodySender>()

  /** Takes a place; returns what gives it back, or undefined if there is none for this sender. */
  take({ issuer, tokenId }: BodySender): (() => void) | undefined {
    const ofIssuer = [...this.#taken].filter((place) => place.issuer === issuer)
    const ofToken = ofIssuer.filter((place) => place.tokenId === tokenId)
    if (this.#taken.size >= MOST || ofIssuer.length >= MOST_OF_ISSUER || ofToken.length >= MOST_OF_TOKEN)
      return undefined
    const place = { issuer, tokenId }
    this.#taken.add(place)
    return () => void this.#taken.delete(place)
  }
}
