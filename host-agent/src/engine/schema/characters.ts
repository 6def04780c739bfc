import { type CodePoints, codePoints, codePointsOf, complement, holds, intersection } from './code-points.ts'
import { type Expression, choice, oneOf, sequence, text } from './expression.ts'

const MUST_BE_ESCAPED = codePoints([[0, 0x1f], ...codePointsOf('"\\\u007f')])

/** What a JSON string carries as it is. */
export const PLAIN_CHARACTERS: CodePoints = complement(MUST_BE_ESCAPED)

const SHORT_ESCAPES: readonly (readonly [point: number, escape: string])[] = Array.from(
  '"\\\b\f\n\r\t',
  (character) => [character.codePointAt(0) ?? 0, JSON.stringify(character).slice(1, -1)],
)

const HEX = codePointsOf('0123456789abcdefABCDEF')

/**
 * One character of the set as it stands within a JSON string; undefined if no character of the set can be written so:
 * control characters without a short escape are left out.
 */
export function characterOf(set: CodePoints): Expression | undefined {
  const plain = intersection(set, PLAIN_CHARACTERS)
  const options = SHORT_ESCAPES.filter(([point]) => holds(set, point)).map(([, escape]) => text(escape))
  if (plain.length > 0) options.unshift(oneOf(plain))
  return options.length === 0 ? undefined : choice(options)
}

/**
 * Any character within a JSON string. An escape by number is never half of a surrogate pair, so that one escape is one
 * character for whoever counts.
 */
export function anyCharacter(): Expression {
  const hex = oneOf(HEX)
  const notD = oneOf(codePoints(HEX.filter(([first]) => first < 0x40).concat(codePointsOf('abcefABCEF'))))
  const escapeByNumber = sequence(
    text('u'),
    choice([
      sequence(notD, hex, hex, hex),
      sequence(oneOf(codePointsOf('dD')), oneOf([[0x30, 0x37]]), hex, hex),
    ]),
  )
  return choice([
    oneOf(PLAIN_CHARACTERS),
    sequence(text('\\'), choice([oneOf(codePointsOf('"\\/bfnrt')), escapeByNumber])),
  ])
}
