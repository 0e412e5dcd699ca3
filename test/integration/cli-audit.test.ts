import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcp, type AddressInfo, type Socket } from 'node:net'
import { basename } from 'node:path'
import multitool from '@microsoft/sarif-multitool'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { environment, root } from '../../tools/processes.ts'
import { answerWhoami, listening, openSite, type Target } from '../server/audit/support/site.ts'
import { openLeakySite } from '../server/reports/support/audited.ts'
import { openMirror } from '../server/reports/support/mirror.ts'
import { junitErrors, sarifErrors } from '../server/reports/support/schemas.ts'
import { auditFolder } from './support/audit-site.ts'
import { startChat } from './support/chat-program.ts'
import { startConsole } from './support/console-program.ts'
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

/** A site in which nothing is found. */
function tightSite(): Promise<Target> {
  return running(
    openSite({
      ws: { handleProtocols: () => false },
      http: { headersTimeout: 1_000, requestTimeout: 1_000, connectionsCheckingInterval: 200 },
      speak(socket, visitor) {
        answerWhoami(socket, visitor)
        beat(socket)
      },
    }),
  )
}

/** Pings, and lets go of a peer that does not answer. */
function beat(socket: WebSocket): void {
  let answered = true
  socket.on('pong', () => (answered = true))
  const timer = setInterval(() => {
    if (!answered) socket.terminate()
    answered = false
    socket.ping()
  }, 300)
  socket.on('close', () => clearInterval(timer))
}

/** Long enough for the deadlines of `tightSite`. */
const patient = { private: [], headMs: 4_000, deadPeerMs: 2_000 }

const four = ['report.html', 'report.sarif', 'report.xml', 'report.json']

describe('countersign audit', () => {
  it('ends with 1 for findings, and writes every report for its owner alone', async () => {
    const site = await running(openLeakySite())
    const outs = four.flatMap((name) => ['--out', folder.path(name)])
    const { code, stdout, stderr } = await countersign(['audit', '--config', folder.config(site), ...outs])
    expect(code, stderr).toBe(1)
    expect(stdout).toMatch(/^high {5}O1 /m)
    expect(stdout).not.toContain('\u001b')
    expect(stderr).toMatch(/^Testing 127\.0\.0\.1:\d+: at most 20 sockets at a time, 1500 connections/)
    expect(stderr).not.toContain('\r')
    for (const name of four) expect(statSync(folder.path(name)).mode & 0o077, name).toBe(0)
    expect(sarifErrors(JSON.parse(readFileSync(folder.path('report.sarif'), 'utf8')))).toEqual([])
    expect(await junitErrors(readFileSync(folder.path('report.xml'), 'utf8'))).toEqual([])
    expect(readFileSync(folder.path('report.html'), 'utf8')).toMatch(/^<!doctype html>/)
  })

  it('writes SARIF that the validator of its authors has no error and no warning against', async () => {
    const site = await running(openLeakySite())
    const config = folder.config(site)
    const first = folder.path('first.sarif')
    const second = folder.path('second.sarif')
    await countersign(['audit', '--config', config, '--out', first])
    await countersign(['audit', '--config', config, '--out', second, '--baseline', first])
    for (const file of [first, second]) {
      const { status, stdout } = spawnSync(
        multitool,
        ['validate', file, '--rule-kind', 'Sarif;Ghas', '--level', 'Error;Warning'],
        { encoding: 'utf8', env: { ...environment({}), DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' } },
      )
      expect(stdout).toContain('1 files scanned')
      expect(stdout).toContain('Analysis completed successfully')
      expect(stdout.split('\n').filter((line) => line.includes(basename(file)))).toEqual([])
      expect(status).toBe(0)
    }
  })

  it('ends with 0 when nothing is found', async () => {
    const site = await tightSite()
    const config = folder.config(site, patient)
    const { code, stdout } = await countersign(['audit', '--config', config])
    expect(stdout).toContain('no findings')
    expect(code).toBe(0)
  })

  it.each(['json', 'sarif'])('ends with 0 when a baseline (.%s) knows all that is found', async (ending) => {
    const site = await running(openLeakySite())
    const config = folder.config(site)
    const known = folder.path(`known.${ending}`)
    expect((await countersign(['audit', '--config', config, '--out', known])).code).toBe(1)
    const { code, stdout } = await countersign(['audit', '--config', config, '--baseline', known])
    expect(stdout).toMatch(/\d+ known findings are not shown/)
    expect(stdout).not.toContain('Cure:')
    expect(code).toBe(0)
  })

  it('ends with 0 when what is found is below --fail-on', async () => {
    const site = await running(openLeakySite())
    const { code } = await countersign(['audit', '--config', folder.config(site), '--fail-on', 'critical'])
    expect(code).toBe(0)
  })

  it.each([
    ['a target that is none', ['audit', 'nonsense']],
    ['no target', ['audit']],
    ['a target beyond this machine', ['audit', 'ws://192.0.2.1/socket']],
    ['a severity that is none', ['audit', 'ws://127.0.0.1:1/', '--fail-on', 'dreadful']],
    ['an id that no check has', ['audit', 'ws://127.0.0.1:1/', '--only', 'X9']],
    ['a report without a form', ['audit', 'ws://127.0.0.1:1/', '--out', 'report.doc']],
    ['a configuration that is missing', ['audit', 'ws://127.0.0.1:1/', '--config', 'none.yaml']],
    ['a baseline that is none', ['audit', 'ws://127.0.0.1:1/', '--baseline', 'package.json']],
    ['a conversation with reports', ['audit', 'ws://127.0.0.1:1/', '--repl', '--out', 'report.html']],
  ])('ends with 2 for %s', async (_name, args) => {
    const { code, stdout, stderr } = await countersign(args)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^countersign: /m)
  })

  it('ends with 3 when nothing answers', async () => {
    const { code, stdout } = await countersign(['audit', 'ws://127.0.0.1:1/socket'])
    expect(stdout).toContain('unreachable: refused')
    expect(code).toBe(3)
  })

  it('ends with 4 when an identity cannot log in', async () => {
    const site = await tightSite()
    const identities = { low: { form: { url: '/login', fields: { user: 'mira', password: 'a wrong one' } } } }
    const config = folder.config(site, { ...patient, identities })
    const { code, stdout } = await countersign(['audit', '--config', config])
    expect(stdout).toMatch(/no login: low: the login at \S+ answers 401/)
    expect(code).toBe(4)
  })

  it('ends with 4 for a regular expression that does not come to its end, and says which', async () => {
    const answer = `${'a'.repeat(60)}!`
    const site = await running(
      openSite({
        speak(socket, visitor) {
          answerWhoami(socket, visitor)
          socket.on('message', (data) => {
            if (String(data).includes('bell'))
              for (const one of visitor.state.sockets.keys()) one.send(answer)
          })
        },
      }),
    )
    const canaries = [{ name: 'bell', send: { type: 'bell' }, effect: '(a+)+$' }]
    const config = folder.config(site, { canaries, only: ['Z1', 'O1'], private: [] })
    const startedAt = performance.now()
    const { code, stdout, stderr } = await countersign(['audit', '--config', config])
    expect(performance.now() - startedAt).toBeLessThan(30_000)
    expect(stdout).toMatch(/stopped early: the regular expression canaries\[0\]\.effect takes more than/)
    expect(stdout + stderr).not.toContain('aaaa')
    expect(code, stderr).toBe(4)
  })

  it('stops at Ctrl-C: closes every socket, writes the report of what ran, and ends with 4', async () => {
    const server = createServer()
    const wss = new WebSocketServer({ server })
    const site = await running(listening(server, {}, () => wss.close()))
    const out = folder.path('stopped.json')
    const run = start(['audit', site.url, '--out', out, '--only', 'O8,A3,I3', '--fail-on', 'critical'])
    await expect.poll(() => run.stderr(), { timeout: 20_000 }).toContain('A3 ')
    await expect.poll(() => wss.clients.size, { timeout: 20_000 }).toBeGreaterThan(0)
    const startedAt = performance.now()
    run.child.kill('SIGINT')
    const { code, signal, stdout } = await run.ended
    expect({ code, signal }).toEqual({ code: 4, signal: null })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect(stdout).toContain('stopped early')
    await expect.poll(() => wss.clients.size, { timeout: 3_000 }).toBe(0)
    const report: { stopped: string; checks: { id: string; outcome: string }[] } = JSON.parse(
      readFileSync(out, 'utf8'),
    )
    expect(report.stopped).toContain('stopped')
    expect(report.checks.map(({ id }) => id)).toEqual(['O8', 'A3', 'I3'])
    expect(report.checks.find(({ id }) => id === 'A3')?.outcome).toBe('not tested')
  })

  describe('stopped at its first look', () => {
    const all = { code: 4, signal: null }

    /** Takes connections, and never says a word. `count` tells how many are open. */
    async function mute(): Promise<{ readonly url: string; readonly count: () => number }> {
      const sockets = new Set<Socket>()
      const server = createTcp((socket) => {
        sockets.add(socket)
        socket
          .on('error', () => undefined)
          .on('close', () => sockets.delete(socket))
          .resume()
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      open.push({
        url: '',
        options: {},
        close: async () => {
          for (const socket of sockets) socket.destroy()
          await new Promise((resolve) => server.close(resolve))
        },
      })
      const { port } = server.address() as AddressInfo // it listens
      return { url: `ws://127.0.0.1:${port}/socket`, count: () => sockets.size }
    }

    it.each([
      ['a socket', 'SIGINT', (url: string) => url],
      ['a socket', 'SIGTERM', (url: string) => url],
      ['a page', 'SIGINT', (url: string) => url.replace('ws:', 'http:')],
      ['a socket behind TLS', 'SIGINT', (url: string) => url.replace('ws:', 'wss:')],
    ] as const)(
      'of %s by %s, writes every report, says that nothing was tested, and ends with 4',
      async (_what, signal, targetOf) => {
        const site = await mute()
        const outs = four.flatMap((name) => ['--out', folder.path(`early-${name}`)])
        const run = start(['audit', targetOf(site.url), ...outs])
        await expect.poll(site.count, { timeout: 20_000 }).toBeGreaterThan(0)
        const startedAt = performance.now()
        run.child.kill(signal)
        const { code, signal: killed, stdout, stderr } = await run.ended
        expect({ code, signal: killed }, stderr).toEqual(all)
        expect(performance.now() - startedAt).toBeLessThan(3_000)
        expect(stdout).toContain('stopped early: nothing was tested')
        expect(stdout).not.toContain('no findings')
        await expect.poll(site.count, { timeout: 3_000 }).toBe(0)
        const written = Object.fromEntries(
          four.map((name) => [name, readFileSync(folder.path(`early-${name}`), 'utf8')]),
        )
        for (const text of Object.values(written)) expect(text).toContain('nothing was tested')
        expect(sarifErrors(JSON.parse(written['report.sarif'] ?? ''))).toEqual([])
        expect(await junitErrors(written['report.xml'] ?? '')).toEqual([])
        const report: { checks: { outcome: string }[] } = JSON.parse(written['report.json'] ?? '')
        expect(new Set(report.checks.map(({ outcome }) => outcome))).toEqual(new Set(['not tested']))
      },
    )

    it('of a login, writes no trouble that only the stop has made', async () => {
      const server = createServer(() => undefined)
      const wss = new WebSocketServer({ server })
      const site = await running(listening(server, {}, () => wss.close()))
      const config = folder.config(site, {
        protocol: 'plain',
        identities: { low: { token: { command: ['sleep', '30'], as: { query: 'token' } } } },
      })
      const out = folder.path('login.json')
      const run = start(['audit', '--config', config, '--out', out])
      await expect.poll(() => wss.clients.size, { timeout: 20_000 }).toBeGreaterThan(0)
      await expect.poll(() => wss.clients.size, { timeout: 20_000 }).toBe(0)
      const startedAt = performance.now()
      run.child.kill('SIGINT')
      const { code, signal } = await run.ended
      expect({ code, signal }).toEqual(all)
      expect(performance.now() - startedAt).toBeLessThan(3_000)
      expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({
        stopped: expect.stringContaining('nothing'),
      })
      expect(readFileSync(out, 'utf8')).not.toContain('loginTroubles')
    })
  })

  it('answers with JSON alone when asked', async () => {
    const site = await tightSite()
    const config = folder.config(site, patient)
    const { stdout } = await countersign(['audit', '--config', config, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ tool: 'countersign audit', format: 1, findings: [] })
  })

  it('shows no secret of its configuration on its outputs', async () => {
    const canary = 'ca-na+ry/4711 & "more"'
    const mirror = await running(openMirror(canary))
    const config = folder.config(mirror, {
      protocol: 'plain',
      whoami: { expect: '"name":"([^]+)"' },
      identities: {
        low: { basic: `mira:${canary}`, token: { url: '/token', as: { query: 'token' } } },
        high: { form: { url: '/login', fields: { password: { env: 'AUDIT_CANARY' } } } },
      },
    })
    const target = mirror.url.replace('ws://', `ws://otto:${encodeURIComponent(canary)}@`)
    const url = `${target}?ticket=${encodeURIComponent(canary)}`
    const args = ['audit', url, '--config', config, '--verbose', '--out', folder.path('masked.html')]
    const { code, stdout, stderr } = await countersign(args, { env: { AUDIT_CANARY: canary } })
    expect(code, stderr).toBe(1)
    const spellings = [canary, encodeURIComponent(canary), JSON.stringify(canary).slice(1, -1)]
    const all = [stdout, stderr, readFileSync(folder.path('masked.html'), 'utf8')].join('\n')
    for (const spelling of spellings) expect(all).not.toContain(spelling)
    expect(all).toContain('[secret]')
  })
})

describe('countersign audit, on the examples', () => {
  const found = (stdout: string): readonly string[] => {
    const report: { findings: { check: string; severity: string }[] } = JSON.parse(stdout)
    return report.findings.filter(({ severity }) => severity !== 'low').map(({ check }) => check)
  }

  it.each([
    [
      'chat',
      (args: readonly string[]) => startChat(...args),
      'ws://HOST/socket.io/',
      ['O1', 'T4', 'O4', 'A1'],
    ],
    ['console', startConsole, 'ws://HOST/socket.io/', ['O1', 'T4', 'T6', 'O4', 'A1']],
  ] as const)(
    'tells the insecure twin of examples/%s from the original',
    async (name, launch, target, holes) => {
      const config = `examples/${name}/audit.yaml`
      for (const isInsecure of [true, false]) {
        const program = await launch(isInsecure ? ['--insecure'] : [])
        try {
          const url = target.replace('HOST', new URL(program.origin).host)
          const only = holes.join(',')
          const { code, stdout, stderr } = await countersign([
            'audit',
            url,
            '--config',
            config,
            '--only',
            only,
            '--json',
          ])
          expect(code, stderr).toBe(isInsecure ? 1 : 0)
          expect([...new Set(found(stdout))].toSorted()).toEqual(isInsecure ? holes.toSorted() : [])
        } finally {
          await program.stop()
        }
      }
    },
  )
})

describe('countersign audit, at a terminal', () => {
  /** Runs a command line at a pseudo-terminal. */
  async function atTerminal(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const program = `${root}/packages/server/src/cli/main.ts`
    const words = [process.execPath, '--conditions=countersign-source', program, ...args]
    const line = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
    const child = spawn('script', ['-qec', line, '/dev/null'], {
      env: { ...environment({ NODE_NO_WARNINGS: '1', TERM: 'xterm' }), ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let shown = ''
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()))
    await new Promise((resolve) => child.once('close', resolve))
    return shown
  }

  it('has colours and a bar that moves in place', async () => {
    const site = await running(openLeakySite())
    const shown = await atTerminal(['audit', '--config', folder.config(site)])
    expect(shown).toContain('\u001b[31mhigh')
    expect(shown).toMatch(/\r\u001b\[K█+░* \d+ of \d+/)
  })

  it('has no colours where NO_COLOR asks for none', async () => {
    const site = await running(openLeakySite())
    const shown = await atTerminal(['audit', '--config', folder.config(site)], { NO_COLOR: '1' })
    expect(shown).toContain('high     O1')
    expect(shown).not.toMatch(/\u001b\[\d+m/)
  })
})
