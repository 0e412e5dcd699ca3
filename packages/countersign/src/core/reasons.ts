/** Every refusal in one table: what each reason becomes on HTTP, on a WebSocket and in WAMP. */

/** Why a connection was refused or ended. The word is public; what it stands for is not told apart further. */
export type Reason =
  | 'missing_credential'
  | 'expired_credential'
  | 'lease_expired'
  | 'invalid_credential'
  | 'revoked'
  | 'logged_out'
  | 'forbidden'
  | 'forbidden_origin'
  | 'insecure_transport'
  | 'wrong_host'
  | 'authentication_timeout'
  | 'too_many_attempts'
  | 'too_many_connections'
  | 'overloaded'
  | 'superseded'
  | 'shutting_down'
  | 'protocol_violation'
  | 'message_too_big'
  | 'no_matching_method'
  | 'no_such_realm'
  | 'no_such_role'
  | 'internal'

/** What a client should do after a refusal. The close code alone tells it: no two advices share a code. */
export type Advice = 'new_credential' | 'stop' | 'retry' | 'wait' | 'back_off' | 'reconnect' | 'fix'

/** One row of the table. `undefined` in a column: this reason never appears there. */
export interface Refusal {
  /** HTTP status of a refused upgrade. */
  readonly status: number | undefined
  /** Body of that HTTP answer: plain text, the same for everything that shares the reason. */
  readonly body: string
  /** WebSocket close code (RFC 6455 §7.4). The close reason is the `Reason` word itself. */
  readonly close: number | undefined
  /** WAMP URI for ABORT or GOODBYE. */
  readonly wamp: string | undefined
  readonly advice: Advice
  /**
   * Whether a browser, which cannot see the HTTP status of a refused upgrade, is told by accepting and closing.
   * `false`: HTTP for everyone.
   */
  readonly tellBrowser: boolean
}

const denied = 'wamp.error.authentication_denied'
const failed = 'wamp.error.authentication_failed'

/** The table. Adding a refusal to Countersign is adding one row here. */
export const reasons: Readonly<Record<Reason, Refusal>> = {
  missing_credential: {
    status: 401,
    body: 'Missing token',
    close: 3000,
    wamp: 'wamp.error.authentication_required',
    advice: 'new_credential',
    tellBrowser: true,
  },
  expired_credential: {
    status: 401,
    body: 'Invalid token',
    close: 3000,
    wamp: denied,
    advice: 'new_credential',
    tellBrowser: true,
  },
  lease_expired: {
    status: undefined,
    body: '',
    close: 3000,
    wamp: 'wamp.close.expired',
    advice: 'new_credential',
    tellBrowser: true,
  },
  invalid_credential: {
    status: 401,
    body: 'Invalid token',
    close: 3000,
    wamp: denied,
    advice: 'new_credential',
    tellBrowser: true,
  },
  revoked: {
    status: 403,
    body: 'Forbidden',
    close: 3003,
    wamp: 'wamp.close.killed',
    advice: 'stop',
    tellBrowser: true,
  },
  logged_out: {
    status: 403,
    body: 'Forbidden',
    close: 3003,
    wamp: 'wamp.close.logout',
    advice: 'stop',
    tellBrowser: true,
  },
  forbidden: {
    status: 403,
    body: 'Forbidden',
    close: 3003,
    wamp: 'wamp.error.not_authorized',
    advice: 'stop',
    tellBrowser: true,
  },
  forbidden_origin: {
    status: 403,
    body: 'Forbidden origin',
    close: undefined,
    wamp: undefined,
    advice: 'stop',
    tellBrowser: false,
  },
  insecure_transport: {
    status: 403,
    body: 'TLS required',
    close: undefined,
    wamp: undefined,
    advice: 'stop',
    tellBrowser: false,
  },
  wrong_host: {
    status: 421,
    body: 'Misdirected request',
    close: undefined,
    wamp: undefined,
    advice: 'stop',
    tellBrowser: false,
  },
  authentication_timeout: {
    status: 408,
    body: 'Timeout',
    close: 3008,
    wamp: failed,
    advice: 'retry',
    tellBrowser: true,
  },
  too_many_attempts: {
    status: 429,
    body: 'Too many attempts',
    close: 4429,
    wamp: failed,
    advice: 'wait',
    tellBrowser: true,
  },
  too_many_connections: {
    status: 429,
    body: 'Too many connections',
    close: 4429,
    wamp: failed,
    advice: 'wait',
    tellBrowser: true,
  },
  overloaded: {
    status: 503,
    body: 'Overloaded',
    close: 4503,
    wamp: failed,
    advice: 'back_off',
    tellBrowser: false,
  },
  superseded: {
    status: undefined,
    body: '',
    close: 4409,
    wamp: 'wamp.close.superseded',
    advice: 'stop',
    tellBrowser: true,
  },
  shutting_down: {
    status: 503,
    body: 'Shutting down',
    close: 1001,
    wamp: 'wamp.close.system_shutdown',
    advice: 'reconnect',
    tellBrowser: false,
  },
  protocol_violation: {
    status: 400,
    body: 'Bad request',
    close: 1002,
    wamp: 'wamp.error.protocol_violation',
    advice: 'fix',
    tellBrowser: false,
  },
  message_too_big: {
    status: 413,
    body: 'Too big',
    close: 1009,
    wamp: 'wamp.error.protocol_violation',
    advice: 'fix',
    tellBrowser: false,
  },
  no_matching_method: {
    status: undefined,
    body: '',
    close: 3003,
    wamp: 'wamp.error.no_matching_auth_method',
    advice: 'stop',
    tellBrowser: true,
  },
  no_such_realm: {
    status: undefined,
    body: '',
    close: 3003,
    wamp: 'wamp.error.no_such_realm',
    advice: 'stop',
    tellBrowser: true,
  },
  no_such_role: {
    status: undefined,
    body: '',
    close: 3003,
    wamp: 'wamp.error.no_such_role',
    advice: 'stop',
    tellBrowser: true,
  },
  internal: {
    status: 500,
    body: 'Internal error',
    close: 1011,
    wamp: failed,
    advice: 'back_off',
    tellBrowser: false,
  },
}

/** Seconds that a client is asked to wait where the table says `Retry-After` and nothing more exact is known. */
export const retryAfterSeconds = 5
