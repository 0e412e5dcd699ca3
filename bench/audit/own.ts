/** Countersign's own endpoints: every plain door of the lab, its Socket.IO door and its router, and a configuration that is served. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditOptions, LoginOptions, TokenPlace } from '../../packages/server/src/audit/options.ts'
import { countersign, end, start } from '../../test/integration/support/program.ts'
import { runLab, type PublishedDoor, type RunningLab } from '../../test/support/running-lab.ts'
import { freeBlock } from '../../tools/ports.ts'

/** An endpoint of ours, and what an audit of it is told. */
export interface OwnTarget {
  readonly name: string
  readonly url: string
  readonly options: AuditOptions
}

/** What is running. */
export interface OwnTargets {
  readonly targets: readonly OwnTarget[]
  stop(): Promise<void>
}

const greeting: AuditOptions = {
  whoami: { expect: 'Hello (?<identity>\\w+)!' },
  private: ['Hello \\w+!'],
}

/** Starts the lab. The door of certificates is left out: the scanner would be a client with a certificate of its own. */
export async function openLab(): Promise<OwnTargets> {
  const lab = await runLab()
  const targets = lab.doors.doors
    .filter(({ id }) => id !== 'D11')
    .map((door) => ({
      name: `lab ${door.id}`,
      url: door.url.replace(/^http/, 'ws'),
      options: optionsOfDoor(lab, door),
    }))
  return { targets, stop: async () => void (await lab.stop()) }
}

function optionsOfDoor(lab: RunningLab, { id, protocol }: PublishedDoor): AuditOptions {
  const low = lowAt(lab, id)
  return {
    ...greeting,
    protocol: protocol === 'text' ? 'plain' : protocol === 'wamp' ? 'wamp' : 'socket.io',
    origin: lab.url.slice(0, -1),
    ...(low === undefined ? {} : { identities: { low } }),
    ...(id === 'D7' ? { hooks: { logout: { url: `${lab.url}logout` } } } : {}),
  }
}

/** How Alice comes in; `undefined` where the scanner knows no way, and looks at the door from outside. */
function lowAt(lab: RunningLab, id: string): LoginOptions | undefined {
  const account = lab.doors.accounts.find(({ username }) => username === 'alice')
  const { password = '', api_key = '' } = account ?? {}
  const form = formAt(lab.url, password)
  const ticket = (as: TokenPlace): LoginOptions => ticketOf(form, { site: lab.url, audience: id, as })
  const ways: Readonly<Record<string, LoginOptions>> = {
    D1: ticket({ first: '{token}' }),
    D2: ticket({ query: 'ticket' }),
    D4: { basic: `alice:${password}` },
    D5: { headers: { Authorization: `Bearer ${api_key}` } },
    D6: ticket({ subprotocols: ['countersign.v1', 'countersign.bearer.{token}'] }),
    D7: { form },
    D10: ticket({ query: 'ticket' }),
    D14: { form },
  }
  return ways[id]
}

type Form = NonNullable<LoginOptions['form']>

function formAt(site: string, password: string): Form {
  return { url: `${site}login`, fields: { username: 'alice', password }, json: true }
}

function ticketOf(
  form: Form,
  { site, audience, as }: { readonly site: string; readonly audience: string; readonly as: TokenPlace },
): LoginOptions {
  const body = JSON.stringify({ audience })
  return {
    form,
    token: { url: `${site}countersign/ticket`, body, member: 'ticket', as, singleUse: true },
  }
}

const password = 'a long enough one'

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
              - { uri: com.example.*, allow: { call: true, publish: true, subscribe: true } }
          - name: backend
            permissions:
              - { uri: com.example.*, allow: { register: true, publish: true } }
    auth:
      wampcra:
        - type: static
          users: { backend: { secret: '\${BACKEND_SECRET}', role: backend } }
        - type: x_accounts
`
}

/** Serves a configuration with four ways in, one of them a router's. */
export async function openServed(): Promise<OwnTargets> {
  const folder = mkdtempSync(join(tmpdir(), 'audit-served-'))
  const secret = 'a secret of the backend, long enough'
  const inFolder = { cwd: folder, env: { BACKEND_SECRET: secret } }
  const port = await freeBlock(2, 25_000 + Math.floor(Math.random() * 100) * 2)
  writeFileSync(join(folder, 'countersign.yaml'), configuration(port))
  const stdin = `${password}\n`
  // Bob is guessed at, which slows his guards for him alone.
  for (const name of ['alice', 'bob'])
    await countersign(['user', 'add', name, '--role', 'member', '--password-stdin'], { ...inFolder, stdin })
  const server = start(['serve', 'countersign.yaml'], inFolder)
  await server.line(`ready ws://localhost:${port}/ws`)
  const site = `http://localhost:${port}/`
  const chat = `ws://localhost:${port}/socket`
  const form = formAt(site, password)
  const targets: readonly OwnTarget[] = [
    {
      name: 'serve, sessions',
      url: chat,
      options: {
        ...greeting,
        protocol: 'plain',
        identities: { low: { form } },
        hooks: { logout: { url: '/logout' } },
        knownUsers: ['bob', 'backend'],
      },
    },
    {
      name: 'serve, tickets',
      url: chat,
      options: {
        ...greeting,
        protocol: 'plain',
        identities: { low: ticketOf(form, { site, audience: 'chat', as: { query: 'ticket' } }) },
      },
    },
    {
      name: 'serve, passwords',
      url: `ws://127.0.0.1:${port + 1}/`,
      options: { ...greeting, protocol: 'plain', identities: { low: { basic: `alice:${password}` } } },
    },
    {
      name: 'serve, WAMP',
      url: `ws://localhost:${port}/ws`,
      options: {
        protocol: 'wamp',
        realm: 'realm1',
        identities: { low: { wamp: { authid: 'backend', method: 'wampcra', secret } } },
      },
    },
  ]
  return {
    targets,
    async stop() {
      await end(server)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
