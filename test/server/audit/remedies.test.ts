import { stripTypeScriptTypes } from 'node:module'
import { describe, expect, it } from 'vitest'
import * as countersign from 'countersign'
import * as graphql from 'countersign/graphql-ws'
import * as methods from 'countersign/methods'
import * as platform from 'countersign/platform/node'
import * as socketIo from 'countersign/socket.io'
import * as sqlite from 'countersign/stores/sqlite'
import * as wampSockets from 'countersign/wamp/ws'
import * as wire from 'countersign/wire'
import * as upgrades from 'countersign/ws'
import { checks } from '../../../packages/server/src/audit/checks.ts'
import { compilerErrors } from '../../support/docs.ts'

/** A remedy may be a sentence: nothing is to be written. */
const isSentence = (text: string): boolean => /^[A-Za-z][^(){}=`]*\.$/.test(text)

const modules: Readonly<Record<string, object>> = {
  countersign,
  'countersign/graphql-ws': graphql,
  'countersign/methods': methods,
  'countersign/platform/node': platform,
  'countersign/socket.io': socketIo,
  'countersign/stores/sqlite': sqlite,
  'countersign/wamp/ws': wampSockets,
  'countersign/wire': wire,
  'countersign/ws': upgrades,
}

/** What stands around a fragment in its reader's program. */
const around: Readonly<Record<string, string>> = {
  createGuard: `(options: Partial<import('countersign').GuardOptions>) => import('countersign').Guard`,
  messagePolicy: `(options: Partial<Parameters<typeof import('countersign')['messagePolicy']>[0]>) => import('countersign').Policy`,
  guard: `import('countersign').Guard`,
  accept: `import('countersign').GuardOptions['accept']`,
  records: `import('countersign').GuardOptions['records']`,
  namespaces: `import('countersign/socket.io').SocketIoOptions['namespaces']`,
  server: `import('node:http').Server`,
  wss: `import('ws').WebSocketServer`,
  WebSocketServer: `typeof import('ws').WebSocketServer`,
  io: `import('socket.io').Server`,
  socket: `import('ws').WebSocket`,
  id: 'string',
  old: '{ readonly id: string }',
  login: '{ readonly id: string }',
  user: 'string',
  decoyKey: `NonNullable<import('countersign').GuardOptions['decoyKey']>`,
  issuer: 'string',
  audience: 'string',
  keys: `import('countersign/methods').KeySource`,
  actions: `Parameters<typeof import('countersign')['messagePolicy']>[0]['actions']`,
  events: `import('countersign').Policy`,
  policy: `import('countersign').Policy`,
  adminEvents: `import('countersign').Policy`,
  adminGuard: `import('countersign').Guard`,
  isMember: '(id: string, room: string) => boolean',
  log: '{ info(entry: object): void }',
  lease: `import('countersign').Lease`,
  router: `import('countersign/wamp').Router`,
  schema: 'any',
  onSubscribe: 'any',
  rule: 'any',
  subject: 'string',
}

/** A fragment as a module of its own: what it uses is imported, or declared as what its reader has. */
function moduleOf(fragment: string): string {
  const words = new Set(fragment.match(/[A-Za-z_$][\w$]*/g))
  const declared = Object.keys(around).filter((name) => words.has(name))
  const imports = Object.entries(modules).map(([from, names]) => {
    const used = Object.keys(names).filter((name) => words.has(name) && !declared.includes(name))
    return used.length === 0 ? '' : `import { ${used.join(', ')} } from '${from}'\n`
  })
  const declarations = declared.map((name) => `declare const ${name}: ${around[name] ?? ''}\n`)
  return `${imports.join('')}${declarations.join('')}\nexport async function remedy() {\n${fragment}\n}\n`
}

/** What is wrong with a fragment's syntax, as statements or as members of an options object. */
function syntaxError(fragment: string): string | undefined {
  const attempts = [`async () => {\n${fragment}\n}`, `({\n${fragment}\n})`].map((code) => {
    try {
      stripTypeScriptTypes(code)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : 'unknown'
    }
  })
  return attempts.includes(undefined) ? undefined : `${attempts[0] ?? ''}\n${fragment}`
}

const snippets = checks.flatMap(({ id, remedy }) =>
  (['ws', 'socketIo', 'countersign'] as const).map((name) => [`${id} ${name}`, remedy[name]] as const),
)

describe('the remedies', () => {
  it('are TypeScript, or a sentence', () => {
    const wrong = snippets.flatMap(([name, text]) => {
      const error = isSentence(text) ? undefined : syntaxError(text)
      return error === undefined ? [] : [`${name}: ${error}`]
    })
    expect(wrong).toEqual([])
  })

  it('for Countersign compile against its public names', { timeout: 120_000 }, () => {
    const blocks = checks
      .filter(({ remedy }) => !isSentence(remedy.countersign))
      .map(({ id, remedy }) => ({
        page: `remedy-${id}.md`,
        line: 1,
        language: 'ts',
        mark: '',
        text: moduleOf(remedy.countersign),
      }))
    expect(blocks.length).toBeGreaterThan(10)
    expect(compilerErrors(blocks)).toBe('')
  })

  it('would be found out with a member that no guard has', { timeout: 120_000 }, () => {
    const text = moduleOf("createGuard({ origin: ['https://app.example.com'] })")
    const block = { page: 'remedy-wrong.md', line: 1, language: 'ts', mark: '', text }
    expect(compilerErrors([block])).toContain("'origin' does not exist")
    expect(syntaxError('createGuard({')).toBeDefined()
  })
})
