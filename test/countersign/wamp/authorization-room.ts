/** An authority, and the time and timers it is lent. */
import {
  type AuthorityOptions,
  createAuthority,
  type RoleAuthority,
} from '../../../packages/countersign/src/wamp/authorization.ts'
import type { Dict } from '../../../packages/countersign/src/wamp/messages.ts'
import type {
  Action,
  AuthorizerOptions,
  PermissionRule,
  RoleOptions,
} from '../../../packages/countersign/src/wamp/options.ts'
import type { Match } from '../../../packages/countersign/src/wamp/uri.ts'
import { TestSession } from './broker-room.ts'

/** A rule that allows everything, unless told otherwise. */
export function rule(
  uri: string,
  match: Match,
  {
    allow = ['call', 'register', 'publish', 'subscribe'],
    disclose = [],
  }: { allow?: string[]; disclose?: string[] } = {},
): PermissionRule {
  const may = (action: Action): boolean => allow.includes(action)
  return {
    uri,
    match,
    allow: {
      call: may('call'),
      register: may('register'),
      publish: may('publish'),
      subscribe: may('subscribe'),
    },
    disclose: { caller: disclose.includes('caller'), publisher: disclose.includes('publisher') },
    cache: false,
  }
}

/** A timer that runs. */
export interface Timer {
  readonly ms: number
  readonly fire: () => void
}

/** An authority, the time, the timers that run. */
export class Bench {
  now: number = Date.UTC(2026, 0, 1)
  readonly timers: Set<Timer> = new Set()
  readonly authority: RoleAuthority

  constructor(
    roles: readonly RoleOptions[],
    rest: Partial<Pick<AuthorityOptions, 'reserved' | 'call'>> = {},
  ) {
    this.authority = createAuthority({
      realm: 'realm1',
      roles,
      reserved: rest.reserved,
      call: rest.call ?? (() => Promise.reject(new Error('nobody'))),
      ports: {
        clock: { now: () => this.now, every: () => () => {} },
        after: (ms, fire) => {
          const timer = { ms, fire }
          this.timers.add(timer)
          return { cancel: () => void this.timers.delete(timer) }
        },
      },
    })
  }

  decide(
    action: Action,
    uri: string,
    { who = user(1), options = {} }: { who?: TestSession; options?: Dict } = {},
  ): unknown {
    return this.authority.decide(who, action, uri, options)
  }
}

/** A session with the role `user`, unless told otherwise. */
export function user(id: number, authid = 'ann', authrole = 'user'): TestSession {
  return new TestSession(id, { authid, authrole })
}

/** The role `user` behind an authorizer. */
export function asking(
  authorizer: AuthorizerOptions['authorizer'],
  rest: Omit<AuthorizerOptions, 'authorizer'> = {},
): RoleOptions {
  return { name: 'user', authorizer: { authorizer, ...rest } }
}
