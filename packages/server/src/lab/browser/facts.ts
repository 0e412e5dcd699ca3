import type { Audience, JoinPlace } from './case.ts'
import { wampPlace } from './wamp-users.ts'

/** A demo account. */
export interface LabAccount {
  readonly username: string
  readonly password: string
  readonly api_key: string
  readonly roles: readonly string[]
}

/** A name and the secret that answers its challenges. */
export interface ChallengeUser {
  readonly authid: string
  readonly secret: string
}

/** A door as it is published. */
export interface LabDoor {
  readonly id: Audience
  /** `ws://localhost:8001/`. */
  readonly url: string
  /** Of the WAMP router alone: what clients join. */
  readonly realm?: string
  readonly challenge?: { readonly plain: ChallengeUser; readonly salted: ChallengeUser }
}

/** `GET /lab/doors.json`, the members that the page uses. */
export interface LabFacts {
  readonly accounts: readonly LabAccount[]
  readonly doors: readonly LabDoor[]
  readonly hostile: { readonly origin: string }
  readonly limits: { readonly preauth_deadline_ms: number }
}

/** A published door. @throws Error when the server has none of this name */
export function doorOf(facts: LabFacts, id: Audience): LabDoor {
  const door = facts.doors.find((one) => one.id === id)
  if (door === undefined) throw new Error(`the lab publishes no door ${id}`)
  return door
}

/** URL of one of the router's transports. @throws Error when the server publishes none */
export function wampUrl(facts: LabFacts, at: JoinPlace): string {
  const { id, path, cookiePath } = wampPlace
  if (at === 'D11') return new URL(path, doorOf(facts, 'D11').url).href
  const { url } = doorOf(facts, id)
  return at === 'cookie' ? new URL(cookiePath, url).href : url
}

/** The demo account of this user, or the first one. @throws Error when there is none at all */
export function accountOf(facts: LabFacts, username: string): LabAccount {
  const account = facts.accounts.find((one) => one.username === username) ?? facts.accounts[0]
  if (account === undefined) throw new Error('the lab publishes no account')
  return account
}

/** The HTTP origin of a WebSocket URL: where its server's pages are. */
export function httpOrigin(url: string): string {
  return new URL(url.replace(/^ws/, 'http')).origin
}
