import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { Server } from 'socket.io'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { createGuard, memory, wampHello } from 'countersign'
import { wampcra, wampcraUsers } from 'countersign/methods'
import { nodePlatform } from 'countersign/platform/node'
import { Router, ruleOf } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { wampWebSockets } from 'countersign/wamp/ws'
import { environment, root } from '../../tools/processes.ts'
import { listening, openSite, type Target } from '../server/audit/support/site.ts'
import { openLeakySite } from '../server/reports/support/audited.ts'
import { openMirror } from '../server/reports/support/mirror.ts'
import { auditFolder } from './support/audit-site.ts'
import { countersign, start } from './support/program.ts'

const folder = auditFolder()
const open: Target[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((target) => target.close()))
})
afterAll(() => folder.remove())

async function running(target: Promise<Target>): Promise<Target> {
  const opened = await target
  open.push(opened)
  return opened
}

/** Talks line by line, from standard input. */
async function talk(config: string, lines: readonly string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await countersign(['audit', '--repl', '--config', config], {
    stdin: lines.map((line) => `${line}\n`).join(''),
  })
  expect(code, stderr).toBe(0)
  return stdout.split('\n').map((line) => line.replace(/^ *\d+ /, ''))
}

describe('a conversation over a plain socket', () => {
  it('sends lines as they stand, and shows what comes back', async () => {
    const site = await running(openSite())
    const lines = await talk(folder.config(site), ['{"type":"whoami"}', '.wait 200', '.quit', 'not sent'])
    expect(lines).toContain('* anonymous: refused with 403')
    expect(lines).toContain('* low: open as mira')
    expect(lines).toContain('low → {"type":"whoami"}')
    expect(lines).toContain('low ← {"type":"you","name":"mira"}')
    expect(lines.join('\n')).not.toContain('not sent')
  })

  it('replays a message on the socket of another identity, while both stay open', async () => {
    const site = await running(openLeakySite())
    const lines = await talk(folder.config(site), [
      '.wait 200',
      '{"type":"whoami"}',
      '.replay 2 as high',
      '.wait 200',
      '.replay 2 as anonymous',
      '.wait 200',
      '.as high',
      '.replay 2',
      '.wait 200',
    ])
    const answers = lines.filter((line) => line.includes('"type":"you"'))
    expect(answers.toSorted()).toEqual([
      'anonymous ← {"type":"you","name":"nobody"}',
      'high ← {"type":"you","name":"otto"}',
      'high ← {"type":"you","name":"otto"}',
      'low ← {"type":"you","name":"mira"}',
    ])
    expect(lines.filter((line) => line === '* high: open')).toHaveLength(1)
  })

  it('tries other origins on new sockets', async () => {
    const site = await running(openSite())
    const lines = await talk(folder.config(site), [
      '.origin https://elsewhere.invalid',
      '.reopen',
      '.origin none',
      '.reopen',
      `.origin ${new URL(site.url).origin.replace('ws', 'http')}`,
      '.reopen',
    ])
    expect(lines.filter((line) => line === '* low: refused: HTTP 403')).toHaveLength(2)
    expect(lines.filter((line) => line === '* low: open')).toHaveLength(2)
    expect(lines.filter((line) => line === '* no socket is open as low')).toHaveLength(2)
  })

  it('sends binary messages and frames of any opcode', async () => {
    const server = createServer()
    const wss = new WebSocketServer({ server })
    const seen: string[] = []
    wss.on('connection', (socket) => {
      socket.on('error', () => undefined)
      socket.on('message', (data, isBinary) => seen.push(`${isBinary} ${(data as Buffer).toString('hex')}`))
      socket.on('ping', (data) => seen.push(`ping ${data.toString('hex')}`))
      socket.on('close', (code) => seen.push(`close ${code}`))
    })
    const site = await running(listening(server, {}, () => wss.close()))
    const lines = await talk(folder.config(site), ['.binary 00ff', '.frame 9 0a', '.frame 5', '.wait 300'])
    expect(seen).toEqual(expect.arrayContaining(['true 00ff', 'ping 0a', 'close 1006']))
    expect(lines).toContain('* anonymous: closed 1002')
  })

  it('masks secrets, and gives the terminal no control character', async () => {
    const canary = 'ca-na+ry/4711'
    const site = await running(openMirror(canary))
    const file = folder.path('said.json')
    const identities = { low: { basic: `mira:${canary}`, token: { url: '/token', as: { query: 't' } } } }
    const lines = await talk(
      folder.config(site, { identities, protocol: 'plain', whoami: { expect: '"name":"(.+)"' } }),
      [
        `{"type":"auth","token":"${canary}","x":"\u009b31m\u202e"}`,
        '.wait 300',
        '.history',
        `.save ${file}`,
        `.save ${file}`,
      ],
    )
    const all = `${lines.join('\n')}${readFileSync(file, 'utf8')}`
    expect(all).not.toContain(canary)
    expect(all).not.toContain(encodeURIComponent(canary))
    expect(all).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(all).toContain('[secret]')
    expect(statSync(file).mode & 0o077).toBe(0)
    expect(lines.filter((line) => line.includes('there is such a file already'))).toHaveLength(1)
  })

  it('goes on after a mistake, and says what is wrong', async () => {
    const site = await running(openSite())
    const lines = await talk(folder.config(site), [
      '.bogus',
      '.as nobody',
      '.replay 99',
      '.replay x',
      '.wait long',
      '.binary 0',
      '.frame 16',
      '.event a',
      '.origin',
      '.save',
      '.constructor',
      '{"type":"whoami"}',
      '.wait 200',
    ])
    expect(lines.filter((line) => line.startsWith('* .') || line.startsWith('* an identity'))).toEqual([
      '* .bogus is no command; .help lists them',
      '* an identity is one of low, high, anonymous',
      '* .replay N [as low|high|anonymous]',
      '* .wait MS, at most 600000',
      '* .frame OPCODE [HEX], the opcode from 0 to 15',
      '* .origin URL|none',
      '* .save FILE',
      '* .constructor is no command; .help lists them',
    ])
    expect(lines).toContain('low ← {"type":"you","name":"mira"}')
  })

  it('forgets the oldest of many messages', async () => {
    const site = await running(openSite({ speak: () => undefined }))
    const many = Array.from({ length: 1_050 }, (_one, index) => `m${index}`)
    const lines = await talk(folder.config(site), [...many, '.replay 50', '.replay 51'])
    expect(lines).toContain('* there is no message 50, or it is forgotten')
    expect(lines.filter((line) => line === 'low → m50')).toHaveLength(2)
  })

  it('ends with 3 when nothing answers', async () => {
    const { code, stderr } = await countersign(['audit', '--repl', 'ws://127.0.0.1:1/'], { stdin: 'a\n' })
    expect(code).toBe(3)
    expect(stderr).toContain('does not answer')
  })

  it('closes its sockets at Ctrl-C', async () => {
    const server = createServer()
    const wss = new WebSocketServer({ server })
    const site = await running(listening(server, {}, () => wss.close()))
    const run = start(['audit', '--repl', '--config', folder.config(site)], { stdin: '.wait 60000\n' })
    await expect.poll(() => run.stdout(), { timeout: 20_000 }).toContain('* anonymous: open\n')
    await expect.poll(() => wss.clients.size).toBe(1)
    run.child.kill('SIGINT')
    expect((await run.ended).code).toBe(0)
    await expect.poll(() => wss.clients.size).toBe(0)
  })
})

describe('a conversation over', () => {
  it('Socket.IO sends events, raw packets, and answers pings', async () => {
    const server = createServer()
    const io = new Server(server, { pingInterval: 300, pingTimeout: 300 })
    io.on('connection', (socket) => {
      socket.on('add', (one: number, two: number, answer: (sum: number) => void) => answer(one + two))
      socket.on('say', (text: string) => socket.emit('said', text.toUpperCase()))
    })
    const site = await running(listening(server, {}, () => void io.close()))
    const config = folder.config({ ...site, url: new URL('/socket.io/', site.url).href })
    const lines = await talk(config, [
      '.event add 2 3',
      '.event say "hello"',
      '42["say","as it stands"]',
      // Longer than a client may stay silent here.
      '.wait 1200',
      '.event say ["still here"]',
      '.wait 200',
    ])
    expect(lines).toContain('anonymous ← 431[5]')
    expect(lines).toContain('anonymous ← 42["said","HELLO"]')
    expect(lines).toContain('anonymous ← 42["said","AS IT STANDS"]')
    expect(lines).toContain('anonymous ← 42["said","STILL HERE"]')
    expect(lines.some((line) => line.endsWith('← 2'))).toBe(false)
  })

  it('GraphQL sends operations', async () => {
    const query = new GraphQLObjectType({
      name: 'Query',
      fields: { hello: { type: GraphQLString, resolve: () => 'world' } },
    })
    const server = createServer()
    const wss = new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' })
    const stop = useServer({ schema: new GraphQLSchema({ query }) }, wss)
    const site = await running(listening(server, {}, () => void stop.dispose()))
    const config = folder.config(site, { protocol: 'graphql-transport-ws' })
    const lines = await talk(config, ['.send {"query":"{ hello }"}', '.wait 300'])
    expect(lines.join('\n')).toContain('"payload":{"data":{"hello":"world"}}')
  })

  it('WAMP joins with a secret, calls and publishes', async () => {
    const secret = 'a secret of 32 random characters'
    const users = wampcraUsers({ joe: { secret, role: 'frontend' } }, nodePlatform().derive)
    await users.ready
    const rule = {
      ...ruleOf('com.example.*'),
      allow: { call: true, register: true, publish: true, subscribe: true },
      disclose: { caller: false, publisher: false },
      cache: true,
    }
    const realms = [{ name: 'realm1', roles: [{ name: 'frontend', rules: [rule] }] }]
    const server = createServer()
    const site = await running(listening(server, {}))
    const guard = createGuard({
      records: memory(),
      origins: [new URL(site.url).origin.replace(/^ws/, 'http')],
      accept: [wampcra({ from: wampHello(), sources: [users] })],
      decoyKey: 'thirty-two bytes that nobody knows',
    })
    const sockets = wampWebSockets(new Router({ realms }, nodeRouterPorts()), { guard })
    server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head))
    const config = folder.config(site, {
      protocol: 'wamp',
      identities: { low: { wamp: { authid: 'joe', method: 'wampcra', secret } } },
    })
    const lines = await talk(config, [
      '.send {"subscribe":"com.example.news"}',
      '.send {"publish":"com.example.news","args":["hi"]}',
      '.send {"call":"com.example.none"}',
      '.wait 300',
    ])
    const all = lines.join('\n')
    expect(lines, all).toContain('* low: open')
    expect(all).toMatch(/low ← \[33,/)
    expect(all).toMatch(/low ← \[17,/)
    expect(all).toContain('wamp.error.no_such_procedure')
    expect(all).not.toContain(secret)
  })
})

describe('a conversation at a terminal', () => {
  it('shows whose turn it is, and what arrives above the prompt', async () => {
    const site = await running(openSite())
    const program = `${root}/packages/server/src/cli/main.ts`
    const line = `'${process.execPath}' --conditions=countersign-source '${program}' audit --repl --config '${folder.config(site)}'`
    const child = spawn('script', ['-qec', line, '/dev/null'], {
      env: environment({ NODE_NO_WARNINGS: '1', TERM: 'xterm' }),
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let shown = ''
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()))
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    await expect.poll(() => shown, { timeout: 30_000 }).toContain('low> ')
    child.stdin.write('{"type":"whoami"}\r')
    await expect.poll(() => shown, { timeout: 10_000 }).toContain('low ← {"type":"you","name":"mira"}\r\n')
    child.stdin.write('.as high\r')
    await expect.poll(() => shown, { timeout: 10_000 }).toContain('high> ')
    child.stdin.write('\u0003')
    expect(await ended).toBe(0)
  })
})
