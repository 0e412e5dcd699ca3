import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { freeBlock, listeners } from '../../tools/ports.ts'
import { countersign, end, start } from './support/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Somewhere in a range of its own, so that test files do not race for ports. */
function block(): Promise<number> {
  return freeBlock(41, 24_000 + Math.floor(Math.random() * 100) * 41)
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(port, 'localhost', () => resolve(server))
  })
}

describe('the command, as a process', () => {
  it('tells its exit code and keeps results and remarks apart', async () => {
    const help = await countersign(['--help'])
    expect(help).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Exit codes') })
    const wrong = await countersign(['nothing'])
    expect(wrong).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('"nothing" is no command'),
    })
  })

  it('makes the database in the folder where it is called, for its owner alone whatever the umask', async () => {
    const added = await countersign(['user', 'add', 'alice', '--password-stdin'], {
      cwd: folder,
      stdin: 'a long enough one\n',
    })
    expect(added).toMatchObject({ code: 0, stdout: 'alice added\n', stderr: '' })
    const made = readdirSync(folder).filter((name) => name.startsWith('countersign.db'))
    expect(made.length).toBeGreaterThan(0)
    for (const name of made) expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0)
  })

  it('ends quietly when nobody reads on', async () => {
    const { child, ended } = start(['--help'])
    child.stdout?.destroy()
    expect((await ended).stderr).toBe('')
  })

  it('tells an unwritable place in one line without a stack', async () => {
    const { code, stderr } = await countersign(
      ['user', 'add', 'a', '--store', join(folder, 'no/where.db'), '--password-stdin'],
      { stdin: 'a long enough one\n' },
    )
    expect(code).toBe(4)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(stderr).not.toMatch(/\n\s+at /)
  })
})

describe('countersign lab', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'says when it is ready, and %s ends it within two seconds and with code 0',
    async (signal) => {
      const port = await block()
      const lab = start(['lab', '--port', String(port)])
      await lab.line(`ready http://localhost:${port}/`)
      expect((await fetch(`http://localhost:${port}/healthz`)).status).toBe(200)
      const lines = lab.stdout().trimEnd().split('\n')
      expect(lines.filter((line) => / wss?:\/\/localhost:\d+\/$/.test(line))).toHaveLength(13)
      expect(new Set(lines.slice(0, -1).map((line) => line.search(/(?:http|ws)s?:\/\//))).size).toBe(1)
      const { code, tookMs } = await end(lab, signal)
      expect(code).toBe(0)
      expect(tookMs).toBeLessThan(2_500)
      expect(await listeners(port, 41)).toEqual([])
    },
  )

  it('ends although a client keeps its connection open, and a second signal changes nothing', async () => {
    const port = await block()
    const lab = start(['lab', '--port', String(port), '--json'])
    await new Promise<void>((resolve) => lab.child.stdout?.once('data', () => resolve()))
    expect(JSON.parse(lab.stdout())).toMatchObject({
      ready: true,
      url: `http://localhost:${port}/`,
      listeners: expect.any(Array),
    })
    const socket = new WebSocket(`ws://localhost:${port + 1}/`)
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    lab.child.kill('SIGTERM')
    const { code, tookMs } = await end(lab, 'SIGINT')
    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(2_500)
  })

  it('names the port that is taken and the door that wanted it, and leaves nothing open', async () => {
    const port = await block()
    const other = await listen(port + 3)
    const { code, stderr } = await countersign(['lab', '--port', String(port)])
    other.close()
    expect(code).toBe(4)
    expect(stderr).toMatch(
      new RegExp(
        `^countersign: port ${port + 3} is taken \\(door D3 [^)]+\\): stop what listens there or choose another block with --port\n$`,
      ),
    )
    expect(await listeners(port, 41)).toEqual([])
  })

  it('writes no report where a browser that was asked for is not installed', async () => {
    const port = await block()
    const file = join(folder, 'matrix.md')
    const { code, stderr } = await countersign(
      ['lab', '--port', String(port), '--report', file, '--engines', 'webkit'],
      { env: { PATH: folder } },
    )
    expect(code).toBe(4)
    expect(stderr).toContain('no report was written: WebKitGTK cannot be driven')
    expect(existsSync(file)).toBe(false)
  })
})

describe('the sources of the program', () => {
  it('begin with the line by which npm makes them a command', () => {
    const main = readFileSync(join(import.meta.dirname, '../../packages/server/src/cli/main.ts'), 'utf8')
    expect(main.split('\n')[0]).toBe('#!/usr/bin/env node')
  })
})
