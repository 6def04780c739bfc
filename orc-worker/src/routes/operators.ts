import { type OperatorList, operatorRequest } from '@daisi/protocol'
import { database } from '../db/client.ts'
import { grantOperator, listOperators, revokeOperator } from '../db/operators.ts'
import { userByEmail } from '../db/users.ts'
import { epochSeconds } from '../domain/time.ts'
import type { AppContext } from '../http/context.ts'
import { ApiError } from '../http/errors.ts'
import { readJson } from '../http/read-json.ts'

/** `GET /api/operators`. */
export async function getOperators(c: AppContext): Promise<Response> {
  const operators = (await listOperators(database(c.env))).map(
    ({ userId, name, email, grantedBy, createdAt }) => ({
      user_id: userId,
      name,
      email,
      granted_by: grantedBy,
      created_at: epochSeconds(createdAt),
    }),
  )
  return c.json({ operators } satisfies OperatorList)
}

/** `POST /api/operators`: makes a person an operator. */
export async function postOperator(c: AppContext): Promise<Response> {
  const { email } = (await readJson(c.req.raw, operatorRequest)).value
  const db = database(c.env)
  const user = await userByEmail(db, email)
  if (user === undefined) {
    const message = 'Nobody with this address has logged in here. Let them log in first.'
    throw new ApiError({ code: 'not_found', message })
  }
  const grantedBy = c.var.actor.person?.userId ?? c.var.account.id
  await grantOperator(db, { userId: user.id, grantedBy }, Date.now())
  return c.body(null, 204)
}

/** `DELETE /api/operators/:user`. The last grant may go while there is a token of the operator account that does not go with it. */
export async function deleteOperator(c: AppContext): Promise<Response> {
  switch (await revokeOperator(database(c.env), c.req.param('user') ?? '', Date.now())) {
    case 'done':
      return c.body(null, 204)
    case 'unknown':
      throw new ApiError({
        code: 'not_found',
        message: 'This person is no operator. GET /api/operators lists them.',
      })
    case 'last':
      throw new ApiError({
        code: 'conflict',
        message:
          'This is the last operator, and the operators’ token ends with them. Make another person an operator first.',
      })
  }
}
