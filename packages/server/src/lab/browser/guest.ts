/** A throw-away account of the lab: made for one case, ended from elsewhere, gone afterwards. */
import type { DoorId, Ending, Obtainable } from './case.ts'
import { audienceOf } from './case.ts'
import { readCredential, type Credential } from './credential.ts'
import { mask } from './mask.ts'
import { askSite, getJson, postJson, textOf, type Answer, type Witness } from './site.ts'

/** An account, as the page that asked for it knows it. */
export interface Guest {
  readonly id: string
  readonly username: string
  /** Opens sockets and refreshes leases of this account; nothing else. Secret. */
  readonly apiKey: string
  readonly credential: Credential
  /** When its lease ends unless it is refreshed, by this page's clock; a little late rather than early, ms. */
  readonly firstEndMs: number
  /** How long an ended lease may still speak at this door, ms. */
  readonly graceMs: number
}

/** A fresh credential. */
export interface Fresh {
  /** `undefined`: a cookie, which the browser has. Secret. */
  readonly text: string | undefined
  /** The name that a secret goes with. */
  readonly name: string | undefined
  /** Name of the cookie that the browser was given beside it or in place of it. */
  readonly cookie: string | undefined
}

/** What a case asks for. */
export interface Invitation {
  readonly door: DoorId
  readonly what: Obtainable
  readonly lifeMs: number
}

/** Makes a throw-away account for a door. @throws Error when the lab makes none */
export async function inviteGuest({ door, what, lifeMs }: Invitation, witness: Witness): Promise<Guest> {
  const answer = await postJson('/lab/guests', { door: audienceOf(door), life_ms: lifeMs }, witness)
  return {
    id: textOf(answer, 'guest'),
    username: textOf(answer, 'username'),
    apiKey: textOf(answer, 'api_key'),
    credential: readCredential(what, membersOf(answer['credential'])),
    firstEndMs: Date.now() + lifeMs,
    graceMs: Number(answer['grace_ms']),
  }
}

/** Ends what the account has opened. @throws Error when the lab refuses */
export async function endGuest({ id }: Guest, by: Ending, witness: Witness): Promise<void> {
  await postJson(`/lab/guests/${id}/end`, { by }, witness)
}

/** A fresh credential of the account, for the lease that it has open. @throws Error when the lab refuses */
export async function renewGuest({ id }: Guest, lifeMs: number, witness: Witness): Promise<Fresh> {
  const answer = await postJson(`/lab/guests/${id}/credential`, { life_ms: lifeMs }, witness)
  const { credential, authid, cookie } = answer
  return {
    text: typeof credential === 'string' ? credential : undefined,
    name: typeof authid === 'string' ? authid : undefined,
    cookie: typeof cookie === 'string' ? cookie : undefined,
  }
}

/**
 * Extends its open lease over HTTP, by a fresh credential and in its own name.
 * @returns when the lease ends now, by this page's clock, or the word by which that was refused
 */
export async function refreshGuest(guest: Guest, lifeMs: number, witness: Witness): Promise<number | string> {
  const { text: credential, cookie } = await renewGuest(guest, lifeMs, witness)
  const authorization = `Bearer ${guest.apiKey}`
  const { leases } = await getJson('/countersign/leases', witness, { authorization })
  const [lease] = Array.isArray(leases) ? leases : []
  const path = `/countersign/leases/${textOf(membersOf(lease), 'lease')}/refresh`
  const body = JSON.stringify({ credential })
  witness({ from: 'browser', text: `POST ${path}` })
  if (cookie !== undefined) witness({ from: 'browser', text: `Cookie: ${cookie}=••••` })
  witness({ from: 'browser', text: mask(body) })
  const headers = { 'content-type': 'application/json', authorization }
  const response = await askSite(path, { method: 'POST', headers, body })
  const text = await response.text()
  witness({ from: 'site', text: `${response.status} ${response.statusText}`.trim() })
  witness({ from: 'site', text, deciding: response.ok })
  if (response.ok) return Date.now() + lifeMs
  return textOf(membersOf(JSON.parse(text)), 'error')
}

/** Takes its login out of this browser, where that is what it showed; its open socket stays. A login that has ended is out already. */
export async function forgetGuest({ id }: Guest): Promise<void> {
  try {
    await askSite(`/lab/guests/${id}/forget`, { method: 'POST' })
  } catch {
    // The site is silent; logging in again will say so.
  }
}

/** The account goes. When that cannot be said any more, it goes by itself. */
export async function dismissGuest({ id }: Guest): Promise<void> {
  try {
    await askSite(`/lab/guests/${id}`, { method: 'DELETE' })
  } catch {
    // The site is silent; the case says so already.
  }
}

function membersOf(value: unknown): Answer {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
