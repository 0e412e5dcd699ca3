/** The lab's doors as a table: what each accepts, where it looks, and how it refuses. */
import {
  authorization,
  challengeFrames,
  cookie,
  firstMessage,
  query,
  subprotocol,
  tls,
  type GuardOptions,
  type Method,
} from 'countersign'
import {
  apiKey,
  certificate,
  jwt,
  password,
  preauth,
  session,
  ticket,
  wampcra,
  type KeySource,
} from 'countersign/methods'
import { cookieNames, type CookieNames } from '../server/cookies.ts'

/** What doors need to know of the lab around them. */
export interface DoorContext {
  /** Issuer of the site's own JWTs, and the keys that verify them. */
  readonly issuer: string
  readonly keys: KeySource
  /** SHA-256 fingerprint of a client certificate that is accepted without its authority, and whom it stands for. */
  readonly listedCertificate: {
    readonly fingerprint: string
    readonly subject: string
    readonly roles: readonly string[]
  }
}

/** One door. */
export interface Door {
  /** D1 … D14. */
  readonly id: string
  readonly number: number
  readonly name: string
  /** Words of `doors.json` for what may be shown here. */
  readonly accepts: readonly string[]
  readonly secure: boolean
  /** What clients speak behind the handshake. */
  readonly protocol: 'text' | 'socket.io'
  /** `http` where the client must see a status: browsers answer a 401 by asking for user information. */
  readonly refusals: NonNullable<GuardOptions['refusals']>
  /** Its ways in, made afresh: a method belongs to one guard. */
  methods(context: DoorContext): readonly Method[]
}

/** Cookie names of the lab, which is plain http on loopback. */
export const labCookies: CookieNames = cookieNames(false)

/** Origins under which pages reach a door at this URL: by requests, and by sockets. */
export function originsOfDoor(url: string): readonly string[] {
  const { origin } = new URL(url)
  return [origin.replace(/^ws/, 'http'), origin.replace(/^http/, 'ws')]
}

/** A door without what follows from its place in the table. */
interface DoorRow {
  readonly name: string
  readonly accepts: readonly string[]
  readonly secure?: boolean
  readonly protocol?: Door['protocol']
  readonly refusals?: Door['refusals']
  methods(context: DoorContext, id: string): readonly Method[]
}

/** The site's own access tokens, for one door (RFC 9068). */
function siteJwt(context: DoorContext, audience: string, from: Parameters<typeof jwt>[0]['from']): Method {
  return jwt({
    from,
    issuer: context.issuer,
    audience,
    algorithms: ['EdDSA'],
    keys: context.keys,
    typ: 'at+jwt',
  })
}

/** In order of their numbers: D1 is the first row. */
const rows: readonly DoorRow[] = [
  {
    name: 'First message',
    accepts: ['ticket', 'jwt', 'session', 'api_key'],
    methods: (context, id) => {
      const from = firstMessage()
      return [ticket({ from }), siteJwt(context, id, from), session({ from }), apiKey({ from })]
    },
  },
  {
    name: 'Query parameter',
    accepts: ['ticket'],
    methods: () => [ticket({ from: query('ticket', 'token', 'access_token', 'auth') })],
  },
  {
    name: 'Cookie set through a hidden iframe',
    accepts: ['frame_session'],
    methods: () => [session({ from: cookie(labCookies.frame), purposes: ['frame'] })],
  },
  {
    name: 'User information',
    accepts: ['password', 'ticket'],
    refusals: 'http',
    methods: () => [ticket({ from: authorization('Basic') }), password({ from: authorization('Basic') })],
  },
  {
    name: 'Machine to machine',
    accepts: ['password', 'api_key', 'jwt'],
    methods: (context, id) => {
      const bearer = authorization('Bearer')
      const keyPlaces = [bearer, authorization('Basic')]
      return [
        apiKey({ from: keyPlaces }),
        siteJwt(context, id, bearer),
        password({ from: authorization('Basic') }),
      ]
    },
  },
  {
    name: 'Subprotocol',
    accepts: ['ticket', 'jwt'],
    methods: (context, id) => [ticket({ from: subprotocol() }), siteJwt(context, id, subprotocol())],
  },
  {
    name: 'Session cookie',
    accepts: ['session'],
    methods: () => [session({ from: cookie(labCookies.session) })],
  },
  {
    name: 'Session cookie as first message',
    accepts: ['alias'],
    methods: () => [session({ from: firstMessage(), purposes: ['alias'] })],
  },
  {
    name: 'Preauth: cookie, CSRF token, Origin',
    accepts: ['preauth'],
    methods: () => [preauth({ from: cookie(labCookies.preauth), csrf: query('csrf') })],
  },
  {
    name: 'Single-use URL',
    accepts: ['ticket'],
    methods: () => [ticket({ from: query('ticket') })],
  },
  {
    name: 'Client certificate',
    accepts: ['certificate'],
    secure: true,
    methods: (context) => [
      certificate({
        from: tls(),
        subjects: ({ commonName }) =>
          commonName === undefined ? undefined : { subject: commonName, roles: ['user'] },
        fingerprints: { [context.listedCertificate.fingerprint]: context.listedCertificate },
      }),
    ],
  },
  {
    name: 'Challenge-response',
    accepts: ['wampcra'],
    methods: () => [wampcra({ from: challengeFrames() })],
  },
  {
    name: 'Login-bound challenge secret',
    accepts: ['wampcra'],
    methods: () => [wampcra({ from: challengeFrames() })],
  },
  {
    name: 'Socket.IO',
    accepts: ['ticket', 'jwt', 'session'],
    protocol: 'socket.io',
    methods: (context, id) => {
      const from = firstMessage()
      return [
        ticket({ from: [from, query('ticket')] }),
        siteJwt(context, id, from),
        session({ from: cookie(labCookies.session) }),
      ]
    },
  },
]

/** Every door in order. */
export const doors: readonly Door[] = rows.map((row, index) => {
  const id = `D${index + 1}`
  return {
    id,
    number: index + 1,
    name: row.name,
    accepts: row.accepts,
    secure: row.secure ?? false,
    protocol: row.protocol ?? 'text',
    refusals: row.refusals ?? 'auto',
    methods: (context) => row.methods(context, id),
  }
})
