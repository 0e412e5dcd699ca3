/** What a client might say of itself, in every place in which something can be said. */
import { isJsonArray, isJsonObject, type JsonObject } from 'countersign/wire'
import { presentedAs, type Sender } from './canaries.ts'
import type { Scene } from './check.ts'
import type { Probe } from './dialects/dialect.ts'
import { jsonOf } from './json-of.ts'

/** Claims to a role. */
export interface Claims {
  readonly role: string
  /** As members of an object. */
  readonly members: JsonObject
}

/** Every spelling of a role that is met in the field. */
export function claimsOf(role: string): Claims {
  return {
    role,
    members: {
      role,
      roles: [role],
      scope: role,
      scopes: [role],
      authrole: role,
      isAdmin: true,
      is_admin: true,
      admin: true,
      priv: role,
      permissions: ['*'],
    },
  }
}

/** The same claims, for those who only ask whether it is so: `"priv":true`. */
export function flatClaimsOf({ role, members }: Claims): Claims {
  return { role, members: Object.fromEntries(Object.keys(members).map((name) => [name, true])) }
}

const roleHeaders = ['X-Role', 'X-Roles', 'X-User-Role', 'X-Auth-Role', 'X-Scope', 'X-Scopes']
const adminHeaders = ['X-Admin', 'X-Is-Admin']

/** One attempt of `low` for each place, by name; none where there is no `low`. @throws LoginFailed, BudgetSpent */
export async function sendersWith(
  scene: Scene,
  { role, members }: Claims,
): Promise<readonly (readonly [place: string, sender: Sender])[]> {
  // A token that opens one socket is fetched for each.
  const [asked, headed, entering] = [
    await presentedAs(scene, 'low'),
    await presentedAs(scene, 'low'),
    await presentedAs(scene, 'low'),
  ]
  if (asked === undefined || headed === undefined || entering === undefined) return []
  const texts = Object.entries(members).map(
    ([name, value]) => [name, value === true ? 'true' : role] as const,
  )
  const headers = [
    ...roleHeaders.map((name) => [name, role] as const),
    ...adminHeaders.map((name) => [name, 'true'] as const),
  ]
  const first = entering.first === undefined ? undefined : jsonOf(entering.first)
  const inside: readonly (readonly [string, Sender])[] =
    scene.endpoint.protocol !== 'plain'
      ? [
          [
            'what it enters with',
            { presented: { ...entering, payload: { ...members, ...entering.payload } } },
          ],
        ]
      : isJsonObject(first)
        ? [
            [
              'its first message',
              { presented: { ...entering, first: JSON.stringify({ ...members, ...first }) } },
            ],
          ]
        : []
  return [
    ['the query', { presented: { ...asked, query: [...asked.query, ...texts] } }],
    ['the header', { presented: headed, changes: { headers } }],
    ...inside,
  ]
}

/** A probe that says more about its sender than it should. */
export function probeWith(
  { members: claims }: Claims,
  probe: Probe,
  { endpoint: { protocol } }: Scene,
): Probe {
  if (typeof probe === 'string') {
    const value = jsonOf(probe)
    return isJsonObject(value) ? JSON.stringify({ ...value, ...missing(claims, value) }) : probe
  }
  if (protocol === 'plain') return { ...probe, ...missing(claims, probe) }
  if (protocol === 'wamp') {
    const kwargs = isJsonObject(probe['kwargs']) ? probe['kwargs'] : {}
    return { ...probe, kwargs: { ...kwargs, ...missing(claims, kwargs) } }
  }
  if (protocol !== 'socket.io') {
    const variables = isJsonObject(probe['variables']) ? probe['variables'] : {}
    return { ...probe, variables: { ...variables, ...missing(claims, variables) } }
  }
  const given = probe['args'] ?? []
  const args = isJsonArray(given) ? given : [given]
  const [first, ...rest] = args
  return {
    ...probe,
    args: isJsonObject(first) ? [{ ...first, ...missing(claims, first) }, ...rest] : [...args, claims],
  }
}

/** Claims that a message does not make already: its own members mean something. */
function missing(claims: JsonObject, message: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !(name in message)))
}
