import { describe, expect, it } from 'vitest'
import { audit } from '../../../packages/server/src/audit/audit.ts'
import { Budget, BudgetSpent, defaultAllowance } from '../../../packages/server/src/audit/budget.ts'
import type { AuditOptions, Resource } from '../../../packages/server/src/audit/options.ts'
import { Pattern } from '../../../packages/server/src/audit/pattern.ts'
import { answerWhoami, openSite } from './support/site.ts'

/** Doubles its steps with each further letter. */
const careless = '(a+)+$'
const answer = `${'a'.repeat(60)}!`

function newBudget(): Budget {
  return new Budget(defaultAllowance, new AbortController().signal)
}

describe('a regular expression of the configuration', () => {
  it('finds what RegExp finds', () => {
    const pattern = new Pattern(newBudget(), 'whoami.expect', '"name":"(?<identity>[^"]+)"')
    expect(pattern.exec('{"name":"mira"}')?.groups?.['identity']).toBe('mira')
    expect(pattern.test('{"nome":"mira"}')).toBe(false)
    expect(pattern.source).toBe('"name":"(?<identity>[^"]+)"')
  })

  it('is told from its neighbours when several look at one text', () => {
    const budget = newBudget()
    const patterns = ['mira', 'otto', 'm(.)r'].map((source) => new Pattern(budget, source, source))
    expect(Pattern.each(patterns, 'mira speaks').map((match) => match?.at(-1))).toEqual([
      'mira',
      undefined,
      'i',
    ])
    expect(Pattern.each([], 'mira speaks')).toEqual([])
  })

  it('has a second for one message, and is named by its key when it takes longer', () => {
    const budget = newBudget()
    const patterns = [
      new Pattern(budget, 'private[0]', 'harmless'),
      new Pattern(budget, 'private[1]', careless),
    ]
    const startedAt = performance.now()
    expect(() => Pattern.each(patterns, answer)).toThrow(BudgetSpent)
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    expect(() => Pattern.each(patterns, answer)).toThrow(/private\[1\] takes more than 1000 ms for one/)
  })

  it('has five seconds for all messages together', () => {
    const budget = newBudget()
    const pattern = new Pattern(budget, 'whoami.expect', careless)
    budget.held(4_900)
    const startedAt = performance.now()
    expect(() => pattern.test(answer)).toThrow(/whoami\.expect takes more than 5000 ms for all messages/)
    expect(performance.now() - startedAt).toBeLessThan(900)
    expect(() => pattern.test('a')).toThrow(BudgetSpent)
  })

  it('is not counted for the clock that is set for it', () => {
    const budget = newBudget()
    const patterns = Array.from(
      { length: 50 },
      (_, at) => new Pattern(budget, `private[${at}]`, `secret-${at}`),
    )
    const text = JSON.stringify({ type: 'message', text: 'x'.repeat(400) })
    for (let message = 0; message < 2_000; message += 1) Pattern.each(patterns, text)
    expect(budget.held(0)).toBeLessThan(500)
  })
})

const room: Resource = {
  name: 'room',
  of: 'high',
  subscribe: { type: 'join' },
  data: 'aaa',
}

const places: readonly (readonly [string, AuditOptions])[] = [
  ['canaries[1].effect', { only: ['Z1'], canaries: [bell('quiet', 'ding'), bell('loud', careless)] }],
  ['resources[0].data', { only: ['Z2'], resources: [{ ...room, data: careless }] }],
  [
    'resources[0].tamper.id',
    { only: ['Z2'], resources: [{ ...room, tamper: { id: careless, send: '{id}', harm: 'gone' } }] },
  ],
  [
    'resources[0].tamper.harm',
    { only: ['Z2'], resources: [{ ...room, tamper: { send: { type: 'end' }, harm: careless } }] },
  ],
]

function bell(name: string, effect: string): NonNullable<AuditOptions['canaries']>[number] {
  return { name, send: { type: name }, effect }
}

describe('an audit whose configuration has a careless one', () => {
  it.each(places)(
    'at %s stops, and says where it stands and nothing that the target said',
    async (key, more) => {
      const site = await openSite({
        speak: (socket, visitor) => {
          answerWhoami(socket, visitor)
          socket.on('message', (data) => {
            if (String(data).includes('quiet'))
              for (const one of visitor.state.sockets.keys()) one.send('ding')
            else if (!String(data).includes('whoami'))
              for (const one of visitor.state.sockets.keys()) one.send(answer)
          })
        },
      })
      try {
        const { stopped, results } = await audit(site.url, { ...site.options, ...more })
        expect(stopped).toMatch(/^the regular expression \S+ takes more than 1000 ms/)
        expect(stopped).toContain(`${key} `)
        expect(stopped).not.toContain('aa')
        expect(results.map(({ outcome }) => outcome.kind)).toEqual(['not tested'])
      } finally {
        await site.close()
      }
    },
  )

  it.each([
    ['whoami.expect', { whoami: { send: { type: 'join' }, expect: careless } }],
    ['private[1]', { private: ['harmless', careless] }],
    [
      'identities.low.steps[].take.ticket.pattern',
      {
        identities: {
          low: { steps: [{ url: '/', method: 'GET', take: { ticket: { pattern: careless } } }] },
        },
      },
    ],
    [
      'identities.low.token.pattern',
      {
        identities: {
          low: { token: { url: '/', method: 'GET', pattern: careless, as: { query: 'ticket' } } },
        },
      },
    ],
  ] satisfies readonly (readonly [string, AuditOptions])[])(
    'at %s stops at the first look',
    async (key, more) => {
      const site = await openSite({
        admits: () => true,
        page: () => answer,
        speak: (socket) => socket.on('message', () => socket.send(answer)),
      })
      try {
        const { stopped, results } = await audit(site.url, { ...site.options, ...more, only: ['O1'] })
        expect(stopped).toContain(`nothing was tested: the regular expression ${key} takes more than`)
        expect(results.map(({ outcome }) => outcome.kind)).toEqual(['not tested'])
      } finally {
        await site.close()
      }
    },
  )
})
