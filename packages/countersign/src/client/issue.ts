/** Gets credentials from the site that issues them, by its HTTP interface. */
import type { Ask, GetCredential, IssuedCredential } from './carrier.ts'
import type { ChallengeSecret } from './challenge.ts'
import { RetryLater, Unauthorized } from './errors.ts'
import type { RenewLease } from './renewal.ts'

/** The members that are used of an answer. */
export interface IssuerAnswer {
  readonly ok: boolean
  readonly status: number
  readonly headers: { get(name: string): string | null }
  json(): Promise<unknown>
}

/** What is sent to an issuer. */
export interface IssuerRequest {
  readonly method: 'POST'
  readonly credentials: 'include'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
}

/** How an issuer is reached. */
export interface IssuerOptions {
  /** Members of the body, such as `audience`. @default none */
  readonly body?: Readonly<Record<string, unknown>>
  /** Fields of the request besides, such as `authorization`. @default none: the login's cookie goes along */
  readonly headers?: Readonly<Record<string, string>>
  /** @default the runtime's own */
  readonly fetch?: (url: string, request: IssuerRequest) => Promise<IssuerAnswer>
}

/** A ticket for each attempt: `POST /countersign/ticket`, `{"audience"}`. */
export function ticketFrom(url: string, options: IssuerOptions = {}): GetCredential {
  return from(url, options, 'ticket')
}

/** A URL for each attempt: `POST /countersign/connect`. */
export function urlFrom(url: string, options: IssuerOptions = {}): GetCredential {
  return from(url, options, 'url')
}

/** The CSRF token of a preauth pair for each attempt: `POST /countersign/preauth`. */
export function preauthFrom(url: string, options: IssuerOptions = {}): GetCredential {
  return from(url, options, 'csrf')
}

/** An access token: `POST /countersign/token`, `{"audience"}`. */
export function accessTokenFrom(url: string, options: IssuerOptions = {}): GetCredential {
  return from(url, options, 'access_token')
}

/** A name and a secret made for this login: `POST /countersign/challenge-secret`. */
export function secretFrom(url: string, options: IssuerOptions = {}): (ask: Ask) => Promise<ChallengeSecret> {
  return async ({ signal }) => {
    const answer = await post(url, options, signal)
    return { authid: textOf(answer, 'authid'), secret: textOf(answer, 'secret') }
  }
}

/**
 * Renews a lease by `POST {site}/countersign/leases/{id}/refresh`. With `getCredential` a fresh credential is shown,
 * without it the cookie that goes along.
 */
export function renewLeaseAt(
  site: string,
  getCredential?: GetCredential,
  options: IssuerOptions = {},
): RenewLease {
  return async ({ lease, signal }) => {
    if (lease === undefined) throw new Error('the lease is not known')
    const got = await getCredential?.({ purpose: 'renew', refused: undefined, signal })
    const credential = typeof got === 'object' ? got.credential : got
    const url = `${site.replace(/\/$/, '')}/countersign/leases/${encodeURIComponent(lease)}/refresh`
    const body = { ...options.body, ...(credential === undefined ? {} : { credential }) }
    const { expires_in: seconds } = await post(url, { ...options, body }, signal)
    if (typeof seconds !== 'number') throw new Error('the answer has no expires_in')
    return seconds * 1_000
  }
}

function from(url: string, options: IssuerOptions, member: string): GetCredential {
  return async ({ signal }): Promise<IssuedCredential> => {
    const answer = await post(url, options, signal)
    const { lease } = answer
    return { credential: textOf(answer, member), lease: typeof lease === 'string' ? lease : undefined }
  }
}

/** @throws Unauthorized for 401 and 403, RetryLater for 429 and 503 with `Retry-After` */
async function post(
  url: string,
  { body = {}, headers = {}, fetch = globalThis.fetch }: IssuerOptions,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetch(url, {
    method: 'POST',
    credentials: 'include',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
  })
  if (answer.status === 401 || answer.status === 403) throw new Unauthorized('the issuer refuses')
  const retryAfter = answer.ok ? null : answer.headers.get('retry-after')
  if (retryAfter !== null && /^\d{1,6}$/.test(retryAfter)) throw new RetryLater(Number(retryAfter) * 1_000)
  const said: unknown = answer.ok ? await answer.json() : undefined
  if (typeof said !== 'object' || said === null)
    throw new Error(`the issuer answers ${String(answer.status)}`)
  return { ...said }
}

function textOf(answer: Readonly<Record<string, unknown>>, member: string): string {
  const value = answer[member]
  if (typeof value !== 'string' || value === '') throw new Error(`the answer has no ${member}`)
  return value
}
