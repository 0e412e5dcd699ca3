import { describe, expect, it } from 'vitest'
import { audit } from '../../../packages/server/src/audit/audit.ts'
import type { AuditOptions } from '../../../packages/server/src/audit/options.ts'
import { openNaiveWamp, secrets, wampLogins } from './support/naive-wamp.ts'
import { openSite, passwords, type Target, type User } from './support/site.ts'
import { ticketLogins, ticketSite } from './support/tickets.ts'

/** Checks of authentication, those that wait for half a minute aside. */
const only = ['A1', 'A2', 'A4', 'A5', 'A7', 'A8', 'A9', 'A10', 'A11', 'A13', 'A14', 'A15', 'A16', 'A17']

async function reportOf(target: Target, options: AuditOptions): Promise<string> {
  try {
    const report = await audit(target.url, { ...target.options, ...options, only })
    expect(report.results.filter(({ outcome }) => outcome.kind === 'fail').length).toBeGreaterThan(2)
    return JSON.stringify(report)
  } finally {
    await target.close()
  }
}

describe('the evidence', () => {
  it('holds no password, no ticket and no session id', async () => {
    const tickets = new Map<string, User>()
    const sessions: string[] = []
    const target = await openSite({
      ...ticketSite((all, ticket) => all.get(ticket), tickets),
      beforeLogin: (_request, form) => {
        const known = Object.hasOwn(passwords, form.get('user') ?? '')
        return known ? undefined : { status: 401, text: `no such user: ${form.get('password') ?? ''}` }
      },
      sessionIdFor: ({ headers }) => {
        const id = /sid=([^;]+)/.exec(headers.cookie ?? '')?.[1] ?? crypto.randomUUID()
        sessions.push(id)
        return id
      },
    })
    const report = await reportOf(target, {
      ...ticketLogins(),
      knownUsers: ['mira', 'otto'],
      intrusive: true,
      guessed: { user: 'otto', password: passwords.otto },
      hooks: { logout: { url: '/logout' } },
      endBudgetMs: 300,
      settleMs: 150,
    })
    const known = [...Object.values(passwords), ...tickets.keys(), ...sessions]
    expect(known.length).toBeGreaterThan(10)
    expect(known.filter((secret) => report.includes(secret))).toEqual([])
  })

  it('holds no secret for challenges, and no answer to one', async () => {
    const answers: string[] = []
    const target = await openNaiveWamp({
      early: true,
      again: true,
      patient: true,
      decide: ({ authid = '' }) => ({
        kind: 'challenge',
        method: 'wampcra',
        extra: { challenge: 'always the same, and short' },
        verify: (signature) => {
          answers.push(signature)
          return Object.hasOwn(secrets, authid)
        },
      }),
    })
    const report = await reportOf(target, { ...wampLogins, settleMs: 150 })
    expect(answers.length).toBeGreaterThan(5)
    expect([...Object.values(secrets), ...answers].filter((secret) => report.includes(secret))).toEqual([])
  })
})
