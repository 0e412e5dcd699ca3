import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Wampy } from 'wampy'
import { signManual } from 'wampy/wampcra.js'
import { freeBlock } from '../../tools/ports.ts'
import { environment, root } from '../../tools/processes.ts'
import { join as joinRealm, joined, shows, signs } from '../server/server/crossbar/wamp-client.ts'
import { countersign, end, start, type Running } from './support/program.ts'

const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3'
const folder = mkdtempSync(join(tmpdir(), 'countersign-crossbar-'))
const file = join(folder, '.crossbar/config.json')
const env = { AUTHENTICATOR_SECRET: 'only the test knows it' }
let port = 0
let server: Running
let authenticator: ChildProcess | undefined

const example = readFileSync(join(root, 'examples/crossbar/config.json'), 'utf8')

/** The example on a port of the test's own. */
function configuration(change: (text: string) => string = (text) => text): string {
  return change(example.replace('8080', String(port)))
}

/** What is needed of autobahn, which brings no types. */
interface Autobahn {
  readonly Connection: new (options: object) => {
    onopen: (session: AutobahnSession, details: Readonly<Record<string, unknown>>) => void
    onclose: (reason: string, details: Readonly<Record<string, unknown>>) => boolean
    open(): void
    close(): void
  }
  readonly auth_cra: {
    sign(key: string, challenge: string): string
    derive_key(secret: string, salt: string, iterations: number, keylen: number): string
  }
}

interface AutobahnSession {
  register(procedure: string, body: (args: readonly number[]) => number): Promise<unknown>
  call(procedure: string, args: readonly number[]): Promise<unknown>
}

const load = createRequire(import.meta.url)
const autobahn = load('autobahn') as Autobahn

/** Joins with autobahn, registers, calls and leaves; answers what came of it. */
function withAutobahn(authid: string, secret: string): Promise<unknown> {
  return new Promise((resolve) => {
    const connection = new autobahn.Connection({
      url: `ws://127.0.0.1:${port}/ws`,
      realm: 'realm1',
      authmethods: ['wampcra'],
      authid,
      max_retries: 0,
      onchallenge: (_session: unknown, _method: string, extra: Salted) =>
        autobahn.auth_cra.sign(keyOf(secret, extra), extra.challenge),
    })
    connection.onopen = (session, { authrole }) => {
      void (async () => {
        await session.register(`com.example.add.${authid}`, ([a = 0, b = 0]) => a + b)
        const sum = await session.call(`com.example.add.${authid}`, [2, 3])
        connection.close()
        resolve({ authrole, sum })
      })()
    }
    connection.onclose = (_reason, details) => {
      resolve({ reason: details['reason'] })
      return true
    }
    connection.open()
  })
}

interface Salted {
  readonly challenge: string
  readonly salt?: string
  readonly iterations: number
  readonly keylen: number
}

function keyOf(secret: string, { salt, iterations, keylen }: Salted): string {
  return salt === undefined ? secret : autobahn.auth_cra.derive_key(secret, salt, iterations, keylen)
}

/** The example's authenticator, until it says that it is ready. */
async function startAuthenticator(): Promise<void> {
  const script = join(root, 'examples/crossbar/authenticator.py')
  const child = spawn(python, [script, `ws://127.0.0.1:${port}/backend`], {
    env: { ...environment({}), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  authenticator = child
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('ready')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`the authenticator ended with ${String(code)}`)))
  })
}

/** Waits until standard error has these words. */
async function says(words: string): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    if (server.stderr().includes(words)) return
    await pause(20)
  }
  throw new Error(`nothing was said of ${words}:\n${server.stderr()}`)
}

beforeAll(async () => {
  port = await freeBlock(2, 28_000 + Math.floor(Math.random() * 100) * 2)
  mkdirSync(join(folder, '.crossbar'))
  writeFileSync(file, configuration())
  server = start(['serve', '.crossbar/config.json'], { cwd: folder, env })
  await server.line(`ready ws://127.0.0.1:${port}/backend`)
})

afterAll(async () => {
  authenticator?.kill()
  await end(server)
  rmSync(folder, { recursive: true, force: true })
})

describe('countersign serve of a configuration of Crossbar.io', () => {
  it('prints one ready line for each address', () => {
    const lines = server.stdout().split('\n')
    expect(lines.filter((line) => line.startsWith('ready '))).toEqual([
      `ready http://127.0.0.1:${port}/`,
      `ready ws://127.0.0.1:${port}/ws`,
      `ready ws://127.0.0.1:${port}/dynamic`,
      `ready ws://127.0.0.1:${port}/backend`,
    ])
  })

  it.each([
    ['joe', 'secret2'],
    ['peter', 'secret1'],
  ])('lets %s in with autobahn', async (authid, secret) => {
    expect(await withAutobahn(authid, secret)).toEqual({ authrole: 'frontend', sum: 5 })
    expect(await withAutobahn(authid, 'another')).toEqual({ reason: 'wamp.error.authentication_denied' })
  })

  it('lets joe in with wampy', async () => {
    const client = new Wampy(`ws://127.0.0.1:${port}/ws`, {
      ws: globalThis.WebSocket,
      realm: 'realm1',
      authid: 'joe',
      authmethods: ['wampcra'],
      maxRetries: 0,
      onChallenge: (_method, extra) => signManual('secret2', String(extra['challenge'])),
    })
    await client.connect()
    await client.register('com.example.double', ({ argsList }) => ({
      argsList: [Number(argsList?.[0]) * 2],
    }))
    expect((await client.call('com.example.double', [21])).argsList).toEqual([42])
    await client.disconnect()
  })

  it('asks a Python authenticator, and tells clients to come again until it is there', async () => {
    const url = `ws://127.0.0.1:${port}/dynamic`
    const ann = { methods: ['ticket'], authid: 'ann', answer: shows('secret-of-ann') }
    expect(await joinRealm(url, ann)).toMatchObject({ kind: 'closed', code: 1013 })
    await startAuthenticator()
    expect(await joinRealm(url, ann)).toMatchObject({
      kind: 'joined',
      details: { authid: 'ann', authrole: 'frontend', authextra: { 'answered-by': 'python' } },
    })
    expect(await joinRealm(url, { ...ann, answer: shows('guessed') })).toEqual({
      kind: 'aborted',
      reason: 'wamp.error.authentication_denied',
    })
  })

  it('reads users again on SIGHUP, and keeps what it has where the file is wrong', async () => {
    const url = `ws://127.0.0.1:${port}/ws`
    const who = (authid: string, secret: string) => ({ methods: ['wampcra'], authid, answer: signs(secret) })
    const joe = await joined(url, who('joe', 'secret2'))
    writeFileSync(file, configuration().replace('"joe": {', '"joe": ['))
    server.child.kill('SIGHUP')
    await says('kept     .crossbar/config.json')
    const renamed = configuration().replace(
      '"joe": { "secret": "secret2"',
      '"jim": { "secret": "a longer one 4 jim"',
    )
    writeFileSync(file, renamed)
    server.child.kill('SIGHUP')
    await says('reloaded .crossbar/config.json: sessions ended: 1')
    expect(await joe.goodbye()).toBe('wamp.close.killed')
    expect(await joinRealm(url, who('jim', 'a longer one 4 jim'))).toMatchObject({ kind: 'joined' })
    writeFileSync(file, configuration())
    server.child.kill('SIGHUP')
  })

  it('names the address that is taken', async () => {
    const { code, stderr } = await countersign(['serve', '.crossbar/config.json', '--log', 'silent'], {
      cwd: folder,
      env,
    })
    expect([code, stderr]).toEqual([4, expect.stringContaining(`127.0.0.1:${port} is taken`)])
  })

  it('says goodbye to its sessions at the end, says no secret, and exits with 0', async () => {
    writeFileSync(join(folder, 'other.json'), configuration().replace(String(port), String(port + 1)))
    const running = start(['serve', 'other.json'], { cwd: folder, env })
    await running.line(`ready ws://127.0.0.1:${port + 1}/backend`)
    const joe = await joined(`ws://127.0.0.1:${port + 1}/ws`, {
      methods: ['wampcra'],
      authid: 'joe',
      answer: signs('secret2'),
    })
    const ending = end(running)
    expect(await joe.goodbye()).toBe('wamp.close.system_shutdown')
    const { code, stdout, stderr } = await ending
    expect(code).toBe(0)
    for (const secret of ['secret2', 'prq7+YkJ1', env.AUTHENTICATOR_SECRET])
      expect(stdout + stderr).not.toContain(secret)
  })
})

describe('a socket in the file system', () => {
  it('that a dead process has left behind is replaced', async () => {
    const left = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])'
    spawnSync(python, ['-c', left, join(folder, 'router.sock')])
    const transport = {
      type: 'websocket',
      endpoint: { type: 'unix', path: 'router.sock' },
      auth: { anonymous: { type: 'static', role: 'anonymous' } },
    }
    const realms = [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: [] }] }]
    writeFileSync(join(folder, 'unix.json'), JSON.stringify({ realms, transports: [transport] }))
    const running = start(['serve', 'unix.json'], { cwd: folder })
    const url = `ws+unix://${join(folder, 'router.sock')}:/`
    await running.line(`ready ${url}`)
    expect(await joinRealm(url)).toMatchObject({ kind: 'joined' })
    expect((await end(running)).code).toBe(0)
    expect(existsSync(join(folder, 'router.sock'))).toBe(false)
  })
})

describe('a configuration of Crossbar.io that is wrong', () => {
  it.each([
    ['an unknown key', (text: string) => text.replace('"wampcra"', '"wampcrah"'), 'paths.ws.auth.wampcrah'],
    [
      'a file that is not there',
      (text: string) => text.replace('"nodeinfo"', '"static", "directory": "no/such"'),
      'no/such does not exist',
    ],
    ['no JSON', (text: string) => text.slice(1), ''],
  ])('is refused by serve and by check: %s', async (_what, change, words) => {
    const at = join(folder, 'wrong.json')
    writeFileSync(at, configuration(change))
    for (const command of ['serve', 'check']) {
      const { code, stdout, stderr } = await countersign([command, at], { cwd: folder, env })
      expect([command, code]).toEqual([command, 3])
      expect(stdout + stderr).toContain(words)
    }
  })

  it('is refused where it names a variable that is not set', async () => {
    const { code, stdout } = await countersign(['check', '.crossbar/config.json'], { cwd: folder })
    expect([code, stdout]).toEqual([3, expect.stringContaining('AUTHENTICATOR_SECRET')])
  })
})

describe('countersign check', () => {
  it('explains who can join how, and what each role may do', async () => {
    const { code, stdout } = await countersign(['check', '.crossbar/config.json'], { cwd: folder, env })
    expect(code).toBe(0)
    for (const words of [
      'Role "frontend" may call, register, publish, subscribe on com.example.*',
      `ws://127.0.0.1:${port}/ws speaks json, msgpack, cbor`,
      'challenge-response (WAMP-CRA) (2 names listed)',
      'the procedure com.example.authenticate decides',
      'is an example from documentation: everyone knows it',
    ])
      expect(stdout).toContain(words)
    expect(stdout).not.toContain('secret2')
  })

  it('answers in JSON where it is asked to', async () => {
    const { stdout } = await countersign(['check', '.crossbar/config.json', '--json'], { cwd: folder, env })
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, routers: [{ realms: [{ name: 'realm1' }] }] })
  })
})
