/** How a case connects to Socket.IO: where its credential goes, and what it asks for there. */
import type { Step } from './case.ts'
import type { Credential } from './credential.ts'
import { loadSocketIo } from './load-socket-io.ts'
import { randomText } from './random-text.ts'
import type { SocketIoPlan } from './socket-io-visit.ts'
import { socketIoWords } from './socket-io-words.ts'

/** What a plan is made from. */
export interface SocketIoPlanParts {
  readonly url: string
  readonly credential: Credential | undefined
  /** Id under which the server records the exchange. */
  readonly probe: string
  /** Whether numbered events shall come. */
  readonly ticks: boolean
  readonly patienceMs: number
}

type ConnectStep = Extract<Step, { kind: 'connect' }>

/** What each way of showing a credential puts where. */
const shown: Readonly<Record<ConnectStep['shows'], (text: string) => Partial<SocketIoPlan>>> = {
  ticket: (text) => ({ auth: { ticket: text, expiring: true } }),
  token: (text) => ({ auth: { token: text } }),
  query: (text) => ({ query: { ticket: text } }),
  two: (text) => ({ auth: { ticket: `cst_${randomText()}` }, query: { ticket: text } }),
  cookie: () => ({ cookies: true }),
  nothing: () => ({}),
}

/** Puts a credential where the case wants it. */
export function socketIoPlan({ shows, by, at, event }: ConnectStep, parts: SocketIoPlanParts): SocketIoPlan {
  const { url, credential, probe, ticks, patienceMs } = parts
  const plan = {
    client: loadSocketIo,
    url,
    namespace: at === 'unlisted' ? socketIoWords.unlisted : '/',
    by,
    auth: {},
    query: {},
    cookies: false,
    event,
    patienceMs,
    ...shown[shows](credential?.kind === 'text' ? credential.text : ''),
  }
  return { ...plan, query: { ...plan.query, probe, ...(ticks ? { ticks: '1' } : {}) } }
}
