import { describe, expect, it } from 'vitest'
import type { DoorId, LabCase, Step } from '../../../packages/server/src/lab/browser/case.ts'
import { chooseCases } from '../../../packages/server/src/lab/browser/choose.ts'
import { closed } from '../../../packages/server/src/lab/browser/outcome.ts'
import { casesOf, doorSheets, expectedIn, labCases } from '../../../packages/server/src/lab/cases.ts'
import { invent, row, show } from '../../../packages/server/src/lab/cases/write.ts'

const bare = { clientCertificate: false, trust: 'no' } as const

const ids = (cases: readonly { readonly id: string }[]): readonly string[] => cases.map(({ id }) => id)

function isMeasured(step: Step | undefined): boolean {
  return (
    step !== undefined &&
    ['show', 'join', 'connect', 'return', 'exchange', 'attack', 'await-close', 'watch'].includes(step.kind)
  )
}

describe('the table of cases', () => {
  it('names every case once, by its door', () => {
    expect(new Set(ids(labCases)).size).toBe(labCases.length)
    for (const { id, door } of labCases) expect(id.startsWith(`${door}.`)).toBe(true)
  })

  const attacksAt = (door: DoorId): readonly LabCase[] =>
    casesOf(door).filter(({ steps }) => steps.some(({ kind }) => kind === 'attack'))

  it.each(doorSheets.map(({ id }) => id).filter((id) => id !== 'D14'))(
    'lets the hostile site knock at %s, and in vain',
    (door) => {
      expect(attacksAt(door).length).toBeGreaterThan(0)
      for (const attack of attacksAt(door)) expect(attack.expected).toEqual({ kind: 'failed', code: 1006 })
    },
  )

  it('lets the hostile site knock at D14 by both transports, and in vain', () => {
    expect(attacksAt('D14').map(({ expected, steps }) => [expected, steps])).toEqual(
      (['websocket', 'polling'] as const).map((by) => [{ kind: 'unopened', by }, [{ kind: 'attack', by }]]),
    )
  })

  it.each(doorSheets.map(({ id }) => id).filter((id) => id !== 'D5'))('shows how %s opens', (door) => {
    expect(casesOf(door).some(({ expected }) => /^(?:accepted|joined)$/.test(expected.kind))).toBe(true)
  })

  it.each(doorSheets.map(({ id }) => id))('shows what becomes of an open socket at %s', (door) => {
    const names = ['logout-elsewhere', 'expire', 'refresh', 'revoke', 'role-removed']
    expect(ids(casesOf(door))).toEqual(expect.arrayContaining(names.map((name) => `${door}.${name}`)))
    const expire = casesOf(door).find(({ id }) => id === `${door}.expire`)
    expect(expire?.check).toBe('nothing-late')
    for (const one of casesOf(door).filter(({ steps }) => steps.some(({ kind }) => kind === 'invite')))
      expect(one.expected.kind, one.id).toMatch(
        one.id === 'D14.recovery-ended' ? /^rejected$/ : /^(?:closed|ended|dismissed|stays)$/,
      )
  })

  it('shows which sockets outlive their first end, and by which way of refreshing', () => {
    const staying = labCases.filter(
      ({ id, expected }) => id.includes('.refresh') && expected.kind === 'stays',
    )
    const overHttp = ['D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9', 'D10', 'D14']
    const inBand = ['D1', 'D12', 'D13', 'D14']
    expect(new Set(ids(staying))).toEqual(
      new Set([
        ...overHttp.map((door) => `${door}.refresh`),
        ...inBand.map((door) => `${door}.refresh-in-band`),
      ]),
    )
  })

  it('says where a socket outlives the login elsewhere, and why', () => {
    const staying = labCases.filter(
      ({ id, expected }) => id.endsWith('.logout-elsewhere') && expected.kind === 'stays',
    )
    expect(staying.map(({ door }) => door)).toEqual(['D5', 'D11', 'D12'])
    for (const { why } of staying) expect(why).toMatch(/^Stays open: /)
  })

  it('ends each case in something that can be measured', () => {
    for (const { id, steps } of labCases) expect(isMeasured(steps.at(-1)), id).toBe(true)
  })

  it('says why, in a sentence, and where to read on', () => {
    for (const { id, why, docs } of labCases) {
      expect(why, id).toMatch(/^[A-Z].{20,}[.]$/)
      expect(docs, id).toMatch(/^docs\/doors\/[a-z\d-]+\.md#[a-z-]+$/)
    }
  })

  it('tells for every difference between engines what they show and why', () => {
    for (const one of labCases) {
      for (const difference of Object.values(one.differs)) {
        expect(difference.expected, one.id).not.toEqual(one.expected)
        expect(difference.why.length, one.id).toBeGreaterThan(20)
      }
    }
  })

  it('expects of an engine its own outcome where it differs', () => {
    const one = labCases.find(({ id }) => id === 'D4.token-password')
    if (one === undefined) throw new Error('the case is gone')
    expect(expectedIn(one, 'firefox')).toEqual({ kind: 'failed', code: 1006 })
    expect(expectedIn(one, 'chromium')).toEqual({ kind: 'accepted', greeting: true })
  })

  it('refuses a row that belongs to no door', () => {
    const head = ['Knocks', closed('missing_credential')] as const
    const text = { steps: [invent('ticket'), show('query')], why: 'A reason.' }
    for (const id of ['D0.connect', 'D16.connect', 'D1'])
      expect(() => row(id, head, text)).toThrow(`not a case id: ${id}`)
  })
})

describe('the choice of cases', () => {
  it('leaves out what waits for a deadline, unless it is asked for', () => {
    const prompt = chooseCases(labCases, {}, bare)
    expect(prompt.every(({ slow }) => !slow)).toBe(true)
    const all = chooseCases(labCases, { slow: true }, bare)
    expect(ids(all)).toContain('D1.silent')
    expect(all.length).toBeGreaterThan(prompt.length)
  })

  it('takes a case by its id, however slow', () => {
    expect(ids(chooseCases(labCases, { only: ['D1.silent'] }, bare))).toEqual(['D1.silent'])
  })

  it('takes a door by its id, in table order', () => {
    const chosen = chooseCases(labCases, { only: ['D10'], slow: true }, bare)
    expect(ids(chosen)).toEqual(ids(casesOf('D10')))
  })

  it.each([
    ['trusts nobody', bare, ['D11.untrusted']],
    ['trusts the lab', { clientCertificate: false, trust: 'yes' } as const, ['D11.missing']],
    [
      'has a client certificate',
      { clientCertificate: true, trust: 'yes' } as const,
      [
        'D11.connect',
        'D11.again',
        'D11.wamp',
        'D11.hostile',
        'D11.logout-elsewhere',
        'D11.revoke',
        'D11.role-removed',
      ],
    ],
    ['does not tell', { clientCertificate: false, trust: 'unknown' } as const, []],
  ])('runs at the door of certificates what suits a browser that %s', (_name, has, expected) => {
    expect(ids(chooseCases(labCases, { only: ['D11'] }, has))).toEqual(expected)
  })
})
