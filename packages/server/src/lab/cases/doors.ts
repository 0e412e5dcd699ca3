import type { DoorId } from '../browser/case.ts'

/** What the page says about a door. */
export interface DoorSheet {
  readonly id: DoorId
  readonly name: string
  /** One sentence: what happens here and who should use it. */
  readonly sentence: string
  /** Where the credential travels. */
  readonly carrier: string
  /** How it is judged. */
  readonly methods: readonly string[]
  /** Whether it has cases that join the WAMP router. @default false */
  readonly wamp?: boolean
  /** Name of the docs page in `docs/doors/`, without `.md`. */
  readonly docs: string
}

/** The doors of the lab, in the order of the page. */
export const doorSheets: readonly DoorSheet[] = [
  {
    id: 'D1',
    name: 'First message',
    sentence: 'The socket opens, and its first frame says who is there. The most reliable door.',
    carrier: 'first message',
    methods: ['ticket', 'JWT', 'session', 'API key'],
    docs: 'first-message',
  },
  {
    id: 'D2',
    name: 'Query parameter',
    sentence: 'A single-use ticket in the URL, gone from logs and worthless after one connection.',
    carrier: 'query',
    methods: ['ticket'],
    docs: 'query',
  },
  {
    id: 'D3',
    name: 'Cookie through a hidden frame',
    sentence: 'A frame of the socket’s own origin turns a ticket into a cookie there.',
    carrier: 'cookie',
    methods: ['session', 'ticket'],
    docs: 'cookie-frame',
  },
  {
    id: 'D4',
    name: 'User information',
    sentence: 'ws://user:password@host. Browsers send it only after a 401, then remember it.',
    carrier: 'Authorization: Basic',
    methods: ['password', 'ticket'],
    docs: 'basic',
  },
  {
    id: 'D5',
    name: 'Machine to machine',
    sentence: 'An Authorization header, which programs can send and pages cannot.',
    carrier: 'Authorization',
    methods: ['password', 'API key', 'JWT'],
    docs: 'machine',
  },
  {
    id: 'D6',
    name: 'Subprotocol',
    sentence: 'The token rides in Sec-WebSocket-Protocol beside a public name that is answered.',
    carrier: 'subprotocol',
    methods: ['ticket', 'JWT'],
    docs: 'subprotocol',
  },
  {
    id: 'D7',
    name: 'Session cookie',
    sentence: 'The cookie of the web application itself; logging out ends the sockets.',
    carrier: 'cookie',
    methods: ['session'],
    docs: 'session-cookie',
  },
  {
    id: 'D8',
    name: 'Session as first message',
    sentence: 'A readable alias of the session, good at this door only.',
    carrier: 'first message',
    methods: ['session'],
    docs: 'session-message',
  },
  {
    id: 'D9',
    name: 'Preauth: cookie, CSRF token, Origin',
    sentence:
      'Three proofs at once: a strict cookie, a token that only the page knows, and where it comes from.',
    carrier: 'cookie + query',
    methods: ['preauth'],
    docs: 'preauth',
  },
  {
    id: 'D10',
    name: 'Single-use URL',
    sentence: 'An API call answers with a whole URL that opens one connection.',
    carrier: 'query',
    methods: ['ticket'],
    docs: 'single-use-url',
  },
  {
    id: 'D11',
    name: 'Client certificate',
    sentence: 'The browser proves itself in the TLS handshake, on a port of its own.',
    carrier: 'TLS',
    methods: ['certificate'],
    docs: 'client-certificate',
  },
  {
    id: 'D12',
    name: 'Challenge and response',
    sentence: 'The server asks a fresh question; the secret that answers it never travels.',
    carrier: 'first message, HELLO',
    methods: ['WAMP-CRA', 'cryptosign'],
    wamp: true,
    docs: 'challenge-response',
  },
  {
    id: 'D13',
    name: 'Login-bound secret',
    sentence: 'A secret made for this login answers the challenge and dies at logout.',
    carrier: 'first message, HELLO',
    methods: ['WAMP-CRA'],
    wamp: true,
    docs: 'login-secret',
  },
  {
    id: 'D14',
    name: 'Socket.IO',
    sentence:
      'A ticket in auth, or the cookie, for clients that poll or hold a WebSocket. Every event meets a policy.',
    carrier: 'auth, cookie, query',
    methods: ['ticket', 'JWT', 'session'],
    docs: 'socket-io',
  },
  {
    id: 'D15',
    name: 'WAMP ticket and anonymous',
    sentence:
      'Clients of WAMP that show a ticket or a password when asked, that come back with a cookie, or that nobody knows.',
    carrier: 'HELLO',
    methods: ['ticket', 'password', 'cookie', 'anonymous'],
    wamp: true,
    docs: 'wamp-sessions',
  },
]

/** Path of a door's docs page in the repository. */
export function docsOfDoor(id: DoorId): string {
  return `docs/doors/${doorSheets.find((door) => door.id === id)?.docs ?? 'index'}.md`
}
