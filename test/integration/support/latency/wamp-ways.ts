/** The ways into a realm: WAMP sessions over WebSocket, and a backend of the same realm that hears and speaks. */
import { createGuard, memory, wampBearer, wampHello, type Guard } from 'countersign'
import { functionAuthenticator, wampcra, wampcraUsers, wampTicket, wampTls } from 'countersign/methods'
import { nodePlatform } from 'countersign/platform/node'
import { Router } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { wampWebSockets } from 'countersign/wamp/ws'
import { accounts } from 'countersign/methods'
import { docsOfDoor } from '../../../../packages/server/src/lab/cases/doors.ts'
import { craSignature, type Wamp } from '../../../countersign/adapters/wamp-client.ts'
import { allowAll } from '../../../countersign/adapters/wamp-site.ts'
import { until } from '../../../countersign/support/sockets.ts'
import { admitted, Line, type Guest, type Words } from './guest.ts'
import { listen, Numbered, talkEveryMs, type Application, type Heard, type Place, type Tls } from './place.ts'
import { roles, type Town } from './town.ts'
import { clientTls, loginSecretOf, type Visit, type Way } from './ways.ts'

const realm = 'realm1'
/** What guests publish to, and what they are subscribed to. */
const topics = { up: 'com.example.up', down: 'com.example.down' } as const
/** Roles of a client, announced. */
const announced = { caller: {}, publisher: {}, subscriber: {} }
const operator = { authid: 'operator', secret: 'a secret of the operator' }

/** Places of the realm by name, and who may end its sessions by the meta API. */
export interface WampPlaces {
  readonly places: ReadonlyMap<string, Place>
  readonly short: ReadonlyMap<string, Place>
  /** `wamp.session.kill`, answered. */
  kill(session: number): Promise<void>
  close(): Promise<void>
}

/** Opens a router with listeners over TCP and TLS, for leases that last and for short ones. */
export async function openRealm(town: Town): Promise<WampPlaces> {
  const realmRoles = [
    ...roles.map((name) => ({ name, rules: [allowAll('com.*')] })),
    { name: 'operator', rules: [allowAll('*')] },
  ]
  const router = new Router({ realms: [{ name: realm, roles: realmRoles }] }, nodeRouterPorts())
  const backend = await Backend.join(router)
  const open = async (short: boolean): Promise<ReadonlyMap<string, Place>> => {
    const guard = town.guard({ audience: 'realm', accept: methods() }, short)
    return new Map([
      ['tcp', await openListener(router, { guard, backend, tls: undefined })],
      ['tls', await openListener(router, { guard, backend, tls: town.tls })],
    ])
  }
  const [places, short] = [await open(false), await open(true)]
  return {
    places,
    short,
    kill: (session) => backend.kill(session),
    async close() {
      await backend.close()
      router.close()
      for (const place of [...places.values(), ...short.values()]) await place.close()
    },
  }
}

function methods(): Parameters<Town['guard']>[0]['accept'] {
  return [
    wampTicket({ from: wampBearer() }),
    wampcra({ from: wampHello(), sources: [accounts()] }),
    wampTls({
      from: wampHello(),
      sources: [functionAuthenticator((_realm, _authid, details) => named(details))],
    }),
  ]
}

/** Whoever our authority has certified is a user under the common name. */
function named({ transport }: { readonly [name: string]: unknown }): unknown {
  // As `transportFacts` writes them.
  const { peer_cert: card } = transport as {
    readonly peer_cert: { readonly subject: { readonly cn: string } }
  }
  return { authid: card.subject.cn, role: roles[0] }
}

async function openListener(
  router: Router,
  parts: { readonly guard: Guard; readonly backend: Backend; readonly tls: Tls },
): Promise<Place> {
  const { guard, backend, tls } = parts
  const sockets = wampWebSockets(router, { guard })
  const { port, end } = await listen(tls, sockets.upgrade)
  return {
    guard,
    application: backend,
    url: `${tls === undefined ? 'ws' : 'wss'}://localhost:${port}/ws`,
    async close() {
      sockets.close()
      guard.close()
      await end()
    },
  }
}

/** A session of the realm that stands for the application: whatever it hears and says goes through the router. */
class Backend implements Application {
  readonly said = new Numbered()
  readonly #line: Line
  readonly #heard = new Map<string, Heard>()
  readonly #close: () => Promise<void>
  readonly #timer: ReturnType<typeof setInterval>
  #request = 1

  private constructor(line: Line, close: () => Promise<void>) {
    this.#line = line
    this.#close = close
    line.socket.on('message', (data) => this.#hears(JSON.parse(String(data))))
    this.#timer = setInterval(() => this.speak(), talkEveryMs)
  }

  static async join(router: Router): Promise<Backend> {
    const { authid, secret } = operator
    const users = wampcraUsers({ [authid]: { secret, role: 'operator' } }, nodePlatform().derive)
    const guard = createGuard({
      records: memory(),
      audience: 'backend',
      accept: [wampcra({ from: wampHello(), sources: [users] })],
    })
    const sockets = wampWebSockets(router, { guard })
    const { port, end } = await listen(undefined, sockets.upgrade)
    const line = await joined(`ws://localhost:${port}/ws`, { method: 'wampcra', authid, secret })
    await subscribed(line, topics.up)
    return new Backend(line, async () => {
      line.socket.terminate()
      sockets.close()
      guard.close()
      await end()
    })
  }

  heard(subject: string): Heard {
    const known = this.#heard.get(subject) ?? { highest: 0, count: 0 }
    this.#heard.set(subject, known)
    return known
  }

  speak(): void {
    this.#line.send(JSON.stringify([16, ++this.#request, {}, topics.down, [Number(this.said.next())]]))
  }

  async kill(session: number): Promise<void> {
    const id = ++this.#request
    this.#line.send(JSON.stringify([48, id, {}, 'wamp.session.kill', [session]]))
    await this.#line.heard((text) => text.startsWith(`[50,${id},`))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#close()
  }

  #hears(message: unknown): void {
    if (!Array.isArray(message) || message[0] !== 36) return
    const [subject, number] = message[4]
    const heard = this.heard(subject)
    heard.count++
    heard.highest = Math.max(heard.highest, number)
  }
}

/** How a client joins. */
interface Joining {
  readonly method: 'ticket' | 'wampcra' | 'tls'
  readonly authid?: string
  /** Ticket, or secret of the challenge. */
  readonly secret?: string
  readonly options?: ConstructorParameters<typeof Line>[2]
}

const codeOf = (text: string): unknown => (JSON.parse(text) as Wamp)[0]

/** HELLO, CHALLENGE, AUTHENTICATE, WELCOME; GOODBYE is answered. */
async function joined(url: string, { method, authid, secret = '', options = {} }: Joining): Promise<Line> {
  const line = new Line(url, ['wamp.2.json'], options)
  await line.opened()
  line.socket.on('message', (data) => {
    if (codeOf(String(data)) === 6) line.send('[6,{},"wamp.close.goodbye_and_out"]')
  })
  line.send(
    JSON.stringify([
      1,
      realm,
      { roles: announced, authmethods: [method], ...(authid === undefined ? {} : { authid }) },
    ]),
  )
  if (method !== 'tls') {
    const challenge = JSON.parse(await line.heard((text) => codeOf(text) === 4)) as Wamp
    const signature = method === 'ticket' ? secret : craSignature(secret, challenge[2])
    line.send(JSON.stringify([5, signature, {}]))
  }
  await line.heard((text) => codeOf(text) === 2)
  return line
}

async function subscribed(line: Line, topic: string): Promise<void> {
  line.send(JSON.stringify([32, 1, {}, topic]))
  await line.heard((text) => codeOf(text) === 33)
}

function wordsOf(subject: string): Words {
  return {
    say: (number) => JSON.stringify([16, Number(number) + 1, {}, topics.up, [subject, Number(number)]]),
    hear: (text) => Number(/^\[36,\d+,\d+,\{[^}]*\},\[(\d+)\]\]$/.exec(text)?.[1]),
  }
}

async function enter(
  { place, person }: Visit,
  joining: Joining,
  certificate?: Guest['certificate'],
): Promise<Guest> {
  const line = await joined(place.url, joining)
  const wampSession = Number((JSON.parse(await line.heard((text) => codeOf(text) === 2)) as Wamp)[1])
  await until(() => place.guard.leases(person.subject).length === 1)
  await subscribed(line, topics.down)
  return admitted(line, { person, place, wampSession, certificate }, wordsOf(person.subject))
}

async function withTicket(visit: Visit): Promise<Guest> {
  const { subject, session, apiKey } = visit.person
  const { audience } = visit.place.guard
  const given = { subject, roles, session: session.id, apiKey: apiKey.id, audience }
  const { ticket } = await visit.town.issuer.issue.ticket(given)
  return enter(visit, { method: 'ticket', authid: subject, secret: ticket })
}

async function withCertificate(visit: Visit): Promise<Guest> {
  const { options, certificate } = await clientTls(visit.town, visit.person)
  return enter(visit, { method: 'tls', options }, certificate)
}

/** The ways into the realm; `place` is the listener. */
export const wampWays: readonly Way[] = [
  wampRow('ticket', ['session', 'apiKey', 'wamp'], withTicket),
  wampRow('wampcra', ['secret', 'wamp'], (visit) =>
    enter(visit, { method: 'wampcra', ...visit.person.secret }),
  ),
  {
    ...wampRow('wampcra', ['session', 'secret', 'wamp'], async (visit) => {
      const secret = await loginSecretOf(visit)
      return enter({ ...visit, person: { ...visit.person, secret } }, { method: 'wampcra', ...secret })
    }),
    place: 'login',
  },
  wampRow('tls', ['certificate', 'wamp'], withCertificate),
]

function wampRow(accepts: string, roots: Way['roots'], way: Way['enter']): Way {
  return { door: 'D15', accepts, page: docsOfDoor('D15'), roots, enter: way }
}
