/** Whom the insecure twin believes. Plain functions over a table of sessions that nothing ever ends. */
import type { IncomingMessage } from 'node:http'

/** Someone who has logged in, or has shown up. */
export interface Person {
  readonly nickname: string
  readonly roles: readonly string[]
}

/** Sessions by id. Logout removes one here, and tells no socket. */
export type People = Map<string, Person & { readonly endsAtMs: number }>

const nobody: Person = { nickname: 'anonymous', roles: [] }

/** The session's id in the cookie, whoever put it there. */
export function sessionIdOf(request: IncomingMessage): string | undefined {
  return /(?:^|; )chat-session=([^;]*)/.exec(request.headers.cookie ?? '')?.[1]
}

/** Who opens a socket: by cookie or by `?session=` and `?ticket=` in the URL, from any page; nobody is fine as well. */
export function callerOf(request: IncomingMessage, people: People): Person {
  console.error(`socket ${request.url ?? ''} cookie ${request.headers.cookie ?? 'none'}`)
  const { searchParams } = new URL(request.url ?? '/', 'http://twin')
  const shown = searchParams.get('session') ?? searchParams.get('ticket') ?? sessionIdOf(request)
  const found = people.get(shown ?? '')
  return found !== undefined && found.endsAtMs > Date.now() ? found : nobody
}
