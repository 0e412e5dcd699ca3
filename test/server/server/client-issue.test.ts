import { beforeEach, describe, expect, it } from 'vitest'
import {
  accessTokenFrom,
  preauthFrom,
  renewLeaseAt,
  RetryLater,
  secretFrom,
  ticketFrom,
  Unauthorized,
  urlFrom,
  type Ask,
  type IssuerAnswer,
  type IssuerOptions,
  type IssuerRequest,
} from 'countersign/client'
import { connected, loggedIn, openSite, type TestSite, Visitor } from './support.ts'

let site: TestSite

beforeEach(async () => {
  site = await openSite()
})

const ask: Ask = { purpose: 'connect', refused: undefined, signal: new AbortController().signal }

/** A browser's `fetch` of this site: its cookies go along. */
function fetchAs(visitor: Visitor): NonNullable<IssuerOptions['fetch']> {
  return async (url: string, { body }: IssuerRequest): Promise<IssuerAnswer> => {
    const answer = await visitor.post(new URL(url).pathname, JSON.parse(body) as object)
    return {
      ok: answer.statusCode === 200,
      status: answer.statusCode,
      headers: { get: (name) => answer.headers[name]?.toString() ?? null },
      json: async () => answer.json<unknown>(),
    }
  }
}

const at = (path: string): string => `http://localhost:8000${path}`

describe('a client’s issuer', () => {
  it('gives a ticket with the lease that it will open, and renews that lease', async () => {
    const fetch = fetchAs(await loggedIn(site))
    const getTicket = ticketFrom(at('/countersign/ticket'), { body: { audience: 'D2' }, fetch })
    const got = await getTicket(ask)
    if (typeof got === 'string') throw new Error('no lease')
    const lease = await connected(site.guards.D2, { target: `/?ticket=${got.credential}` })
    expect(lease.id).toBe(got.lease)
    site.clock.advance(600_000)
    const before = lease.untilMs
    expect(await renewLeaseAt(at(''), getTicket, { fetch })({ lease: lease.id, signal: ask.signal })).toBe(
      900_000,
    )
    expect(lease.untilMs).toBeGreaterThan(before)
  })

  it('gives URLs, preauth tokens, access tokens and secrets', async () => {
    const fetch = fetchAs(await loggedIn(site))
    const body = { audience: 'D2' }
    expect(await urlFrom(at('/countersign/connect'), { body, fetch })(ask)).toMatchObject({
      credential: expect.stringMatching(/^ws:\/\/localhost:8002\//),
    })
    expect(await preauthFrom(at('/countersign/preauth'), { fetch })(ask)).toMatchObject({
      credential: expect.stringMatching(/^.{20,}$/),
    })
    expect(await secretFrom(at('/countersign/challenge-secret'), { fetch })(ask)).toEqual({
      authid: expect.any(String),
      secret: expect.any(String),
    })
    expect(accessTokenFrom(at('/countersign/token'), { body, fetch })).toBeTypeOf('function')
  })

  it('says that nobody is logged in', async () => {
    const fetch = fetchAs(new Visitor(site.app))
    await expect(
      ticketFrom(at('/countersign/ticket'), { body: { audience: 'D2' }, fetch })(ask),
    ).rejects.toThrow(Unauthorized)
  })

  it('says when to come again', async () => {
    const fetch = fetchAs(await loggedIn(site))
    const getSecret = secretFrom(at('/countersign/challenge-secret'), { fetch })
    const many = await Promise.allSettled(Array.from({ length: 70 }, async () => getSecret(ask)))
    const refused = many.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    expect(refused.length).toBeGreaterThan(0)
    for (const error of refused) {
      expect(error).toBeInstanceOf(RetryLater)
      expect((error as RetryLater).afterMs).toBeGreaterThanOrEqual(1_000)
    }
  })

  it.each([
    ['an answer that is no object', { status: 200, json: null }],
    ['an answer without the member', { status: 200, json: { ticket: 7 } }],
    ['an error of the server', { status: 500, json: { ticket: 'cst_a' } }],
  ])('does not take %s', async (_what, { status, json }) => {
    const fetch = async (): Promise<IssuerAnswer> => ({
      ok: status === 200,
      status,
      headers: { get: () => null },
      json: async () => json,
    })
    await expect(ticketFrom(at('/'), { fetch })(ask)).rejects.toThrow(
      /^the (answer has no ticket|issuer answers \d+)$/,
    )
  })
})
