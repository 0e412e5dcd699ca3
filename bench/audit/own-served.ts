/** A configuration that is served: sockets for sessions, tickets, API keys and passwords, and a router. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditOptions, Hook, LoginOptions, Trigger } from '../../packages/server/src/audit/options.ts'
import { countersign, end, program, start } from '../../test/integration/support/program.ts'
import { freeBlock } from '../../tools/ports.ts'
import {
  formAt,
  greeting,
  issued,
  keepLog,
  secretOfLogin,
  ticketMs,
  type OwnTarget,
  type OwnTargets,
} from './own.ts'

const password = 'a long enough one'
const backendSecret = 'a secret of the backend, long enough'

/** One account for each endpoint, as audits log out and lock out whom they know; Bob is guessed at, and nobody else. */
const accounts: Readonly<Record<string, string>> = {
  alice: 'member',
  bob: 'member',
  erin: 'member',
  frank: 'member',
  ivan: 'member',
  judy: 'member',
  carol: 'admin',
}

function configuration(port: number): string {
  return `keyFile: countersign.key
site:
  listen: localhost:${port}
guards:
  - name: chat
    path: /socket
    origins: [http://localhost:${port}]
    accept: [{ method: ticket }, { method: session }]
  - name: machines
    listen: 127.0.0.1:${port + 1}
    origins: [http://127.0.0.1:${port + 1}]
    accept: [{ method: api_key }, { method: password }]
  - name: router
    protocol: wamp
    path: /ws
    realms:
      - name: realm1
        roles:
          - name: member
            permissions:
              - { uri: com.example.news, allow: { subscribe: true } }
              - { uri: com.example.chat.*, allow: { call: true, publish: true, subscribe: true } }
          - name: backend
            permissions:
              - { uri: com.example.*, allow: { register: true, publish: true, subscribe: true } }
    auth:
      wampcra:
        - type: static
          users: { backend: { secret: '\${BACKEND_SECRET}', role: backend } }
        - type: x_accounts
`
}

/** Serves it. */
export async function openServed(): Promise<OwnTargets> {
  const folder = mkdtempSync(join(tmpdir(), 'audit-served-'))
  const inFolder = { cwd: folder, env: { BACKEND_SECRET: backendSecret } }
  const port = await freeBlock(2, 25_000 + Math.floor(Math.random() * 100) * 2)
  writeFileSync(join(folder, 'countersign.yaml'), configuration(port))
  for (const [name, role] of Object.entries(accounts)) {
    const adding = ['user', 'add', name, '--role', role, '--password-stdin']
    const { code, stderr } = await countersign(adding, { ...inFolder, stdin: `${password}\n` })
    if (code !== 0) throw new Error(`${name} was not added: ${stderr}`)
  }
  const key = await keyOf('judy', inFolder)
  const server = start(['serve', 'countersign.yaml', '--log', 'debug'], inFolder)
  const log = keepLog(server.child)
  await server.line(`ready ws://localhost:${port}/ws`)
  const place: Place = { port, store: join(folder, 'countersign.db'), key }
  const targets = [...chatTargets(place), ...machineTargets(place), ...routerTargets(place)]
  return {
    targets: targets.map(({ options, ...target }) => ({
      ...target,
      options: { allowCrashProbes: true, logFile: log.file, ...options },
    })),
    async stop() {
      await end(server)
      await log.forget()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Where it is served. */
interface Place {
  readonly port: number
  readonly store: string
  /** API key of Judy. */
  readonly key: string
}

async function keyOf(username: string, given: Parameters<typeof countersign>[1]): Promise<string> {
  const { stdout } = await countersign(['key', 'create', '--name', 'audit', '--subject', username], given)
  const key = stdout.split('\n').find((line) => line.startsWith('csk_'))
  if (key === undefined) throw new Error('no key was made')
  return key
}

const siteAt = (port: number): string => `http://localhost:${port}/`

const formOf = ({ port }: Place, username: string): Pick<LoginOptions, 'form'> => ({
  form: formAt(siteAt(port), username, password),
})

/** What an operator does to somebody from the command line. */
function operator({ store }: Place, username: string): Readonly<Partial<Record<Trigger, Hook>>> {
  const does = (...args: readonly string[]): Hook => ({
    command: [process.execPath, '--conditions=countersign-source', program, ...args, '--store', store],
  })
  return {
    kill: does('revoke', 'subject', username),
    disable: { ...does('user', 'disable', username), undo: does('user', 'enable', username) },
  }
}

function chatTargets(place: Place): readonly OwnTarget[] {
  const { port } = place
  const logout = { url: '/logout' }
  const ticket = issued(siteAt(port), 'ticket', {
    body: '{"audience":"chat"}',
    member: 'ticket',
    as: { query: 'ticket' },
    singleUse: true,
  })
  const { singleUse: _, ...expiring } = ticket
  const common = { ...greeting, page: '/login' } as const
  const url = `ws://localhost:${port}/socket`
  return [
    {
      name: 'serve, sessions',
      url,
      least: 33,
      options: {
        ...common,
        identities: { low: formOf(place, 'alice'), high: formOf(place, 'carol') },
        hooks: { logout, ...operator(place, 'alice') },
        knownUsers: ['bob', 'backend'],
      },
    },
    {
      name: 'serve, tickets',
      url,
      least: 35,
      options: {
        ...common,
        identities: {
          low: { ...formOf(place, 'erin'), token: ticket },
          high: { ...formOf(place, 'carol'), token: ticket },
        },
        hooks: { logout, ...operator(place, 'erin') },
        expiring: { ...expiring, ttlMs: ticketMs },
      },
    },
  ]
}

function machineTargets(place: Place): readonly OwnTarget[] {
  const login = (username: string): LoginOptions => ({ basic: `${username}:${password}` })
  const url = `ws://127.0.0.1:${place.port + 1}/`
  return [
    {
      name: 'serve, API keys',
      url,
      least: 26,
      options: {
        ...greeting,
        identities: { low: { headers: { Authorization: `Bearer ${place.key}` } }, high: login('carol') },
      },
    },
    {
      name: 'serve, passwords',
      url,
      least: 29,
      options: {
        ...greeting,
        identities: { low: login('frank'), high: login('carol') },
        hooks: operator(place, 'frank'),
        knownUsers: ['bob', 'backend'],
      },
    },
  ]
}

const news = 'com.example.news'
const orders = 'com.example.orders'

/** Members hear the news and chat; the backend alone says the news, and has orders. */
const realm: AuditOptions = {
  protocol: 'wamp',
  realm: 'realm1',
  whoami: { expect: '"authrole":"(?<identity>member|backend)"' },
  private: ['"authrole":"(?:member|backend)"'],
  messages: [{ publish: 'com.example.chat.audit', args: ['of an audit'] }],
}

function routerTargets(place: Place): readonly OwnTarget[] {
  const backend: LoginOptions = { wamp: { authid: 'backend', method: 'wampcra', secret: backendSecret } }
  const url = `ws://localhost:${place.port}/ws`
  return [
    {
      name: 'serve, WAMP with a secret',
      url,
      least: 30,
      options: { ...realm, identities: { low: backend }, knownUsers: ['backend', 'ivan'] },
    },
    {
      name: 'serve, WAMP of a login',
      url,
      least: 38,
      options: {
        ...realm,
        page: '/login',
        identities: {
          low: { ...formOf(place, 'ivan'), ...secretOfLogin(siteAt(place.port)) },
          high: backend,
        },
        hooks: { logout: { url: '/logout' }, ...operator(place, 'ivan') },
        canaries: [
          {
            name: 'news',
            send: { publish: news, args: ['audit {marker}'] },
            watch: { subscribe: news },
            effect: 'audit {marker}',
            seenBy: 'low',
          },
        ],
        resources: [
          {
            name: 'orders',
            of: 'high',
            subscribe: { subscribe: orders },
            trigger: { publish: orders, args: ['order {marker}'] },
            data: 'order {marker}',
          },
        ],
      },
    },
  ]
}
