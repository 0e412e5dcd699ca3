import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { audit } from '../../../packages/server/src/audit/audit.ts'
import { bodyWithTaken, memberOf, withTaken } from '../../../packages/server/src/audit/login-steps.ts'
import { meet } from '../../../packages/server/src/audit/meeting.ts'
import { describeView } from '../../../packages/server/src/audit/oracle.ts'
import type { AuditOptions, LoginOptions } from '../../../packages/server/src/audit/options.ts'
import { openSite, passwords, userOf, type SiteOptions, type Target, type User } from './support/site.ts'

const form = { url: '/login', fields: { user: 'mira', password: passwords.mira } }

/** How a first look ends for `low`. */
async function lookAs(
  target: Target,
  low: LoginOptions,
): Promise<{ view: string; troubles: readonly string[] }> {
  try {
    const options: AuditOptions = { ...target.options, protocol: 'plain', identities: { low } }
    const meeting = await meet(target.url, options)
    if (meeting.kind !== 'met') throw new Error(meeting.why)
    const sight = meeting.scene.baseline.low
    return {
      view: sight === undefined ? 'not seen' : describeView(sight.view),
      troubles: meeting.loginTroubles,
    }
  } finally {
    await target.close()
  }
}

/** A site that makes a ticket for whoever is logged in, and a cookie out of the ticket, for its own frame alone. */
function framed(): SiteOptions {
  const tickets = new Map<string, User>()
  const cookies = new Map<string, User>()
  const frame = 'https://frame.example'
  return {
    page: (request, state, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
      const user = userOf(request, state)
      if (pathname === '/ticket' && user !== undefined) {
        const ticket = `${randomBytes(8).toString('hex')}&"`
        tickets.set(ticket, user)
        return JSON.stringify({ ticket })
      }
      const holder = tickets.get(searchParams.get('ticket') ?? '')
      if (pathname !== '/exchange' || holder === undefined || request.headers.origin !== frame)
        return undefined
      const value = randomBytes(8).toString('hex')
      cookies.set(value, holder)
      response.setHeader('set-cookie', `frame=${value}; HttpOnly; SameSite=Lax; Path=/`)
      return 'done'
    },
    identifies: ({ headers }) => cookies.get(/frame=([^;]+)/.exec(headers.cookie ?? '')?.[1] ?? ''),
  }
}

const asking = { url: '/ticket', take: { ticket: { member: 'ticket' } } }
const exchanging = { url: '/exchange?ticket={ticket}', headers: { Origin: 'https://frame.example' } }

describe('the steps of a login', () => {
  it('take what one answer gives to the next request, from an origin of their own, and keep its cookie', async () => {
    const seen = await lookAs(await openSite(framed()), { form, steps: [asking, exchanging] })
    expect(seen).toEqual({ view: 'open as mira', troubles: [] })
  })

  it('do so only where they are all taken', async () => {
    const seen = await lookAs(await openSite(framed()), { form, steps: [asking] })
    expect(seen.view).toBe('refused with 403')
  })

  it('say which one failed, and nothing secret', async () => {
    const { troubles } = await lookAs(await openSite(framed()), {
      form,
      steps: [asking, { url: '/exchange?ticket={ticket}' }],
    })
    expect(troubles).toEqual(['low: the step /exchange?ticket={ticket} answers 404'])
    const member = { ...asking, take: { ticket: { member: 'other' } } }
    const { troubles: missing } = await lookAs(await openSite(framed()), { form, steps: [member] })
    expect(missing).toEqual(['low: the step /ticket gives no ticket that can be used'])
  })

  it('post nothing where they have no body, and say so', async () => {
    const lengths: unknown[] = []
    const site = await openSite({
      page: ({ headers }) => {
        lengths.push([headers['content-length'], headers['transfer-encoding'], headers['content-type']])
        return 'done'
      },
    })
    const { troubles } = await lookAs(site, { cookie: 'sid=of-nobody', steps: [{ url: '/start' }] })
    expect(lengths).toEqual([['0', undefined, undefined]])
    expect(troubles).toEqual(['low: logged in, but does not enter the socket'])
  })

  it('put nothing into a request that would end a line of it', async () => {
    const site = await openSite({ page: () => JSON.stringify({ key: 'a\r\nX-Admin: yes' }) })
    const { troubles } = await lookAs(site, {
      steps: [{ url: '/key', take: { key: { member: 'key' } } }],
      headers: { 'X-Key': '{key}' },
    })
    expect(troubles).toEqual(['low: the step /key gives no key that can be used'])
  })

  it('give headers their values, which are left out until then', async () => {
    const asked: unknown[] = []
    const site = await openSite({
      page: (request, state) => {
        asked.push(request.headers['x-key'])
        return userOf(request, state) === undefined ? undefined : 'the key is <b>k-of-mira</b>'
      },
      identifies: ({ headers }) => (headers['x-key'] === 'k-of-mira' ? 'mira' : undefined),
    })
    const seen = await lookAs(site, {
      form,
      steps: [{ url: '/page', method: 'GET', take: { key: { pattern: '<b>([\\w-]+)' } } }],
      headers: { 'X-Key': '{key}' },
    })
    expect(seen).toEqual({ view: 'open as mira', troubles: [] })
    expect(asked).toEqual([undefined])
  })
})

describe('a hook', () => {
  it('is asked with what the steps took, and its body has a media type', async () => {
    const ended: unknown[] = []
    const site = await openSite({
      page: (request, { sessions, sockets }) => {
        if (request.url === '/csrf') return JSON.stringify({ csrf: 'a+b' })
        ended.push([request.url, request.headers['content-type'], request.headers['x-csrf']])
        sessions.clear()
        for (const socket of sockets.keys()) socket.close(4001)
        return 'done'
      },
    })
    const csrf = { url: '/csrf', take: { csrf: { member: 'csrf' } } }
    const hook = { url: '/end?csrf={csrf}', body: '{"csrf":"{csrf}"}', headers: { 'X-Csrf': '{csrf}' } }
    try {
      const { results } = await audit(site.url, {
        ...site.options,
        protocol: 'plain',
        identities: { low: { form, steps: [csrf] } },
        hooks: { logout: hook },
        only: ['A8'],
      })
      expect(results.map(({ outcome }) => outcome.kind)).toEqual(['pass'])
      expect(ended).toEqual([['/end?csrf=a%2Bb', 'application/json', 'a+b']])
    } finally {
      await site.close()
    }
  })
})

describe('a token', () => {
  it('is found in an answer by a pattern, and goes with the cookie that came with it', async () => {
    const pairs = new Map<string, string>()
    const site = await openSite({
      page: (_request, _state, response) => {
        const [cookie, token] = [randomBytes(8).toString('hex'), randomBytes(8).toString('hex')]
        pairs.set(cookie, token)
        response.setHeader('set-cookie', `pair=${cookie}; HttpOnly; SameSite=Strict; Path=/`)
        return `wss://example.test/?t=${token}`
      },
      identifies: ({ headers, url = '' }) => {
        const cookie = /pair=([^;]+)/.exec(headers.cookie ?? '')?.[1] ?? ''
        const shown = new URL(url, 'http://localhost').searchParams.get('t')
        return shown !== null && pairs.get(cookie) === shown ? 'mira' : undefined
      },
    })
    const token = { url: '/connect', pattern: '[?]t=(\\w+)', as: { query: 't' } }
    expect(await lookAs(site, { form, token })).toEqual({ view: 'open as mira', troubles: [] })
  })
})

describe('what is taken', () => {
  it('is encoded as what it stands in', () => {
    const values = new Map([
      ['a', '"&{b}'],
      ['b', 'c'],
    ])
    expect(bodyWithTaken('{"x":"{a}","y":"{c}"}', values)).toBe('{"x":"\\"&{b}","y":"{c}"}')
    expect(bodyWithTaken('x={a}', values)).toBe('x=%22%26%7Bb%7D')
    expect(withTaken('{a}', values)).toBe('"&{b}')
  })

  it('is a text or a number', () => {
    expect(memberOf('{"a":"x","b":7,"c":{}}', 'a')).toBe('x')
    expect(memberOf('{"a":"x","b":7,"c":{}}', 'b')).toBe('7')
    expect(memberOf('{"a":"x","b":7,"c":{}}', 'c')).toBeUndefined()
    expect(memberOf('no JSON', 'a')).toBeUndefined()
  })
})

describe('a login that is too busy', () => {
  /** A site whose form answers so the first times. */
  function busy(times: number, status: number, after: string): Promise<Target> {
    let asked = 0
    return openSite({
      page: (request, _state, response) => {
        if (request.url !== '/busy') return undefined
        asked += 1
        response.statusCode = asked > times ? 200 : status
        response.setHeader('retry-after', after)
        if (asked > times) response.setHeader('set-cookie', 'seen=1')
        return ''
      },
      admits: () => true,
    })
  }
  const low = { form: { url: '/busy', fields: {} } }

  it.each([503, 429])('is tried again where it asks to wait for a moment: %d', async (status) => {
    expect((await lookAs(await busy(2, status, '0'), low)).troubles).toEqual([])
  })

  it.each([
    ['without a word when', 503, ''],
    ['for long', 503, '60'],
    ['for ever', 503, '0'],
    ['with another word', 500, '0'],
  ])('is a trouble where it refuses %s', async (_how, status, after) => {
    const { troubles } = await lookAs(await busy(status === 503 && after === '0' ? 3 : 1, status, after), low)
    expect(troubles.join()).toContain(`answers ${status}`)
  })
})
