/** Every way into a plain socket: at which door, with what, and what the lease then rests upon. */
import { X509Certificate } from 'node:crypto'
import { authorization, firstMessage, path, subprotocol, type Guard, type Method } from 'countersign'
import { jwt, ticket, type JwtOptions } from 'countersign/methods'
import type { ClientOptions } from 'ws'
import { docsOfDoor } from '../../../../packages/server/src/lab/cases/doors.ts'
import type { DoorId } from '../../../../packages/server/src/lab/browser/case.ts'
import { doors, labCookies, type Door, type DoorContext } from '../../../../packages/server/src/lab/doors.ts'
import { craSignature } from '../../../countersign/adapters/wamp-client.ts'
import { pageOrigin } from '../../../countersign/support/guard.ts'
import { admitted, Line, type Guest } from './guest.ts'
import { openPlace, type Place } from './place.ts'
import { password, roles, type Person, type Town } from './town.ts'

/** What an acceptance may rest upon besides its subject. */
export type Root = 'session' | 'apiKey' | 'issuer' | 'secret' | 'certificate' | 'wamp'

/** A visit of one person to one place. */
export interface Visit {
  readonly town: Town
  readonly place: Place
  readonly person: Person
}

/** One way in. */
export interface Way {
  /** Number of the door: `D1`. */
  readonly door: DoorId
  /** What is shown there, in the words of the lab's table of doors. */
  readonly accepts: string
  /** Besides, where one door takes the same thing at two places. */
  readonly place?: string
  /** Name of its place, where that is a server of this framework and not of the door. */
  readonly framework?: string
  /** Page of the door. */
  readonly page: string
  readonly roots: readonly Root[]
  enter(visit: Visit): Promise<Guest>
}

/** Opens every plain door of the lab's table, with leases that last or that are short. */
export async function openDoors(town: Town, short: boolean): Promise<ReadonlyMap<string, Place>> {
  const places = new Map<string, Place>()
  for (const door of doors.filter(({ protocol }) => protocol === 'text'))
    places.set(door.id, await openPlace(guardOf(town, door, short), door.secure ? town.tls : undefined))
  return places
}

/** A guard that takes what the lab's door takes, and what is beside that here. */
export function guardOf(town: Town, { id, methods }: Door, short: boolean): Guard {
  const context: DoorContext = {
    issuer: 'https://site.example.com',
    keys: town.keys,
    listedCertificate: { fingerprint: '0'.repeat(64), subject: 'nobody', roles: [] },
  }
  return town.guard({ audience: id, accept: [...beside(town, id), ...methods(context)] }, short)
}

/** What doors take here besides the lab's: tokens of many issuers, so that one at a time can end; tickets in a path. */
function beside(town: Town, id: string): readonly Method[] {
  const from = new Map<string, JwtOptions['from']>([
    ['D1', firstMessage()],
    ['D5', authorization('Bearer')],
    ['D6', subprotocol()],
    ['D14', firstMessage()],
  ]).get(id)
  if (id === 'D10') return [ticket({ from: path({ prefix: '/connect/' }) })]
  if (from === undefined) return []
  const keys = Object.fromEntries(town.issuers.map((issuer) => [issuer, town.keys]))
  return [jwt({ from, issuer: town.issuers, audience: id, algorithms: ['EdDSA'], keys })]
}

/** What a client shows in its handshake and, where it is asked, in its first message. */
interface Shown {
  readonly target?: string
  readonly protocols?: readonly string[]
  readonly options?: ClientOptions
  readonly first?: string
}

async function show({ place, person }: Visit, shown: Shown): Promise<Guest> {
  const line = new Line(`${place.url}${shown.target ?? '/'}`, shown.protocols ?? [], shown.options ?? {})
  await line.opened()
  if (shown.first !== undefined) line.send(shown.first)
  return admitted(line, { person, place })
}

const auth = (token: string): string => JSON.stringify({ type: 'auth', token })
const bearer = (token: string): ClientOptions => ({ headers: { authorization: `Bearer ${token}` } })
const basic = (user: string, secret: string): ClientOptions => ({
  headers: { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` },
})
const offer = (token: string): readonly string[] => ['countersign.v1', `countersign.bearer.${token}`]

/** As a page of an allowed origin that the browser has this cookie for. */
const withCookie = (name: string, value: string): ClientOptions => ({
  origin: pageOrigin,
  headers: { cookie: `${name}=${value}` },
})

/** A ticket of this login, for this place. */
export async function ticketOf({ town, person, place }: Visit, apiKey?: string): Promise<string> {
  const { subject, session } = person
  const { audience } = place.guard
  return (await town.issuer.issue.ticket({ subject, roles, session: session.id, apiKey, audience })).ticket
}

/** A JWT for the door that is visited. */
export const tokenOf = ({ town, person, place }: Visit): string => town.tokenOf(person, place.guard.audience)

async function childOf({ town, person }: Visit, purpose: 'frame' | 'alias'): Promise<string> {
  const { subject, session } = person
  const origin = purpose === 'frame' ? pageOrigin : undefined
  return (await town.issuer.issue.session({ subject, roles, session: session.id, purpose, origin })).session
}

async function preauthenticated(visit: Visit): Promise<Guest> {
  const { town, person } = visit
  const { subject, session } = person
  const { cookie, csrf } = await town.issuer.issue.preauth({ subject, roles, session: session.id })
  return show(visit, { target: `/?csrf=${csrf}`, options: withCookie(labCookies.preauth, cookie) })
}

/** `hello`, challenge, `authenticate`. */
async function challenged(
  { place, person }: Visit,
  { authid, secret }: { readonly authid: string; readonly secret: string },
): Promise<Guest> {
  const line = new Line(place.url, [], {})
  await line.opened()
  line.send(JSON.stringify({ type: 'hello', authid, methods: ['wampcra'] }))
  const challenge: { readonly extra: unknown } = JSON.parse(await line.heard((text) => text.startsWith('{')))
  line.send(JSON.stringify({ type: 'authenticate', signature: craSignature(secret, challenge.extra) }))
  return admitted(line, { person, place })
}

/** A secret that ends with the login that it was made for. */
export async function loginSecretOf({ town, person }: Visit): Promise<{ authid: string; secret: string }> {
  const { subject, session } = person
  return town.issuer.issue.challengeSecret({ subject, roles, session: session.id })
}

async function certified({ town, place, person }: Visit): Promise<Guest> {
  const { options, certificate } = await clientTls(town, person)
  const line = new Line(place.url, [], options)
  await line.opened()
  return admitted(line, { person, place, certificate })
}

/** A fresh certificate of this person, as a client shows it. */
export async function clientTls(
  town: Town,
  person: Person,
): Promise<{ readonly options: ClientOptions; readonly certificate: NonNullable<Guest['certificate']> }> {
  const { certificate, privateKey, fingerprint } = await town.certificateOf(person)
  const { serialNumber } = new X509Certificate(certificate)
  return {
    options: { ca: town.ca, cert: certificate, key: privateKey },
    certificate: { fingerprint, serial: serialNumber },
  }
}

/** In the order of the doors. */
export const plainWays: readonly Way[] = [
  row('D1', 'ticket', ['session'], async (visit) => show(visit, { first: auth(await ticketOf(visit)) })),
  row('D1', 'jwt', ['session', 'issuer'], (visit) => show(visit, { first: auth(tokenOf(visit)) })),
  row('D1', 'session', ['session'], (visit) => show(visit, { first: visit.person.session.secret })),
  row('D1', 'api_key', ['apiKey'], (visit) => show(visit, { first: auth(visit.person.apiKey.key) })),
  row('D2', 'ticket', ['session'], async (visit) =>
    show(visit, { target: `/?ticket=${await ticketOf(visit)}` }),
  ),
  row('D3', 'frame_session', ['session'], async (visit) =>
    show(visit, { options: withCookie(labCookies.frame, await childOf(visit, 'frame')) }),
  ),
  row('D4', 'password', [], (visit) => show(visit, { options: basic(visit.person.subject, password) })),
  row('D4', 'ticket', ['session'], async (visit) =>
    show(visit, { options: basic(await ticketOf(visit), '') }),
  ),
  row('D5', 'password', [], (visit) => show(visit, { options: basic(visit.person.subject, password) })),
  row('D5', 'api_key', ['apiKey'], (visit) => show(visit, { options: bearer(visit.person.apiKey.key) })),
  row('D5', 'jwt', ['session', 'issuer'], (visit) => show(visit, { options: bearer(tokenOf(visit)) })),
  row('D6', 'ticket', ['session'], async (visit) => show(visit, { protocols: offer(await ticketOf(visit)) })),
  row('D6', 'jwt', ['session', 'issuer'], (visit) => show(visit, { protocols: offer(tokenOf(visit)) })),
  row('D7', 'session', ['session'], (visit) =>
    show(visit, { options: withCookie(labCookies.session, visit.person.session.secret) }),
  ),
  row('D8', 'alias', ['session'], async (visit) => show(visit, { first: await childOf(visit, 'alias') })),
  row('D9', 'preauth', ['session'], preauthenticated),
  row('D10', 'ticket', ['session', 'apiKey'], async (visit) =>
    show(visit, { target: `/?ticket=${await ticketOf(visit, visit.person.apiKey.id)}` }),
  ),
  {
    ...row('D10', 'ticket', ['session', 'apiKey'], async (visit) =>
      show(visit, { target: `/connect/${await ticketOf(visit, visit.person.apiKey.id)}` }),
    ),
    place: 'path',
  },
  row('D11', 'certificate', ['certificate'], certified),
  row('D12', 'wampcra', ['secret'], (visit) => challenged(visit, visit.person.secret)),
  row('D13', 'wampcra', ['session', 'secret'], async (visit) => {
    const secret = await loginSecretOf(visit)
    return challenged({ ...visit, person: { ...visit.person, secret } }, secret)
  }),
]

function row(door: DoorId, accepts: string, roots: readonly Root[], enter: Way['enter']): Way {
  return { door, accepts, page: docsOfDoor(door), roots, enter }
}
