/** The bounds of `examples/console`: what a run may cost, and what waits for a client that does not read. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGuard, firstMessage, memory } from 'countersign'
import { ticket } from 'countersign/methods'
import { guardSocketIo, type GuardedData } from 'countersign/socket.io'
import { Server, type DefaultEventsMap as Events } from 'socket.io'
import { describe, expect, onTestFinished, test } from 'vitest'
import { commands, type Command, type Surroundings } from '../../examples/console/commands.ts'
import { Journal } from '../../examples/console/journal.ts'
import { readiness } from '../../examples/console/outgoing.ts'
import { programLines } from '../../examples/console/programs.ts'
import { Runs, type RunBounds, type Screen } from '../../examples/console/runs.ts'
import { Services } from '../../examples/console/services.ts'
import { soon } from './support/console-program.ts'

const bounds: RunBounds = { maxPerConsole: 2, maxPerPerson: 3, maxLines: 50, maxText: 1_000, maxLine: 30 }

function openRuns(): Runs {
  const services = new Services()
  onTestFinished(() => services.close())
  const surroundings: Surroundings = {
    journal: new Journal(undefined, () => undefined),
    services,
    program: programLines,
    announce: () => 0,
    evict: async () => 0,
  }
  return new Runs(surroundings, bounds)
}

/** A console that keeps what it is told. */
interface Kept extends Screen {
  readonly lines: string[]
  readonly ends: string[]
  over: boolean
  waits: Promise<unknown> | undefined
}

function openScreen(who = 'otto'): Kept {
  const kept: Kept = {
    who,
    over: false,
    waits: undefined,
    lines: [],
    ends: [],
    ready: () => kept.waits,
    line: (_, text) => void kept.lines.push(text),
    end: (_, outcome) => void kept.ends.push(outcome),
  }
  return kept
}

const [row] = commands
const base: Command = row ?? expect.fail('there are no commands')

/** Starts a command that says these lines. */
function start(
  runs: Runs,
  screen: Screen,
  lines: () => AsyncIterable<string>,
  maxMs = 5_000,
): number | 'busy' {
  return runs.start({ command: { ...base, maxMs }, line: 'made up', run: lines }, screen)
}

async function* endless(text: string): AsyncGenerator<string> {
  for (;;) yield text
}

async function* silent(): AsyncGenerator<string> {
  await new Promise(() => undefined)
  yield 'never'
}

async function* broken(): AsyncGenerator<string> {
  yield 'one'
  throw new Error('a path of this machine')
}

async function endOf(screen: Kept, count = 1): Promise<readonly string[]> {
  await soon(() => screen.ends.length >= count)
  return screen.ends
}

describe('a run', () => {
  test('ends at its last line, and at its last character', async () => {
    const [many, wide] = [openScreen(), openScreen()]
    start(openRuns(), many, () => endless('x'))
    start(openRuns(), wide, () => endless('x'.repeat(500)))
    expect(await endOf(many)).toEqual(['too_much_output'])
    expect(many.lines).toHaveLength(50)
    expect(await endOf(wide)).toEqual(['too_much_output'])
    expect(wide.lines).toHaveLength(33)
    expect(new Set(wide.lines)).toEqual(new Set(['x'.repeat(30)]))
  })

  test('ends on time, by a stop and with its console, whether it listens to that or not', async () => {
    const runs = openRuns()
    const screen = openScreen()
    start(runs, screen, silent, 50)
    expect(await endOf(screen)).toEqual(['out_of_time'])
    const run = start(runs, screen, silent)
    runs.stop(Number(run), openScreen())
    runs.stop(Number(run), screen)
    expect(await endOf(screen, 2)).toEqual(['out_of_time', 'stopped'])
    start(runs, screen, silent)
    runs.leave(screen)
    expect(await endOf(screen, 3)).toEqual(['out_of_time', 'stopped', 'console_ended'])
    expect(screen.lines).toEqual([])
  })

  test('tells nothing once its console is over', async () => {
    const screen = openScreen()
    start(openRuns(), screen, async function* () {
      yield 'before'
      screen.over = true
      yield 'after'
    })
    expect(await endOf(screen)).toEqual(['console_ended'])
    expect(screen.lines).toEqual(['before'])
  })

  test('tells of a failure that there was one, and no more', async () => {
    const screen = openScreen()
    start(openRuns(), screen, broken)
    expect(await endOf(screen)).toEqual(['failed'])
    expect(screen.lines).toEqual(['one'])
  })

  test('takes a place until it has ended', async () => {
    const runs = openRuns()
    const [one, other, third] = [openScreen(), openScreen(), openScreen('vera')]
    const first = start(runs, one, silent)
    expect(first).toEqual(expect.any(Number))
    expect(start(runs, one, silent)).toEqual(expect.any(Number))
    expect(start(runs, one, silent)).toBe('busy')
    expect(start(runs, other, silent)).toEqual(expect.any(Number))
    expect(start(runs, other, silent)).toBe('busy')
    expect(start(runs, third, silent)).toEqual(expect.any(Number))
    runs.stop(Number(first), one)
    await endOf(one)
    expect(start(runs, other, silent)).toEqual(expect.any(Number))
  })

  test('waits for whoever does not read', async () => {
    const screen = openScreen()
    let goOn: (value: unknown) => void = () => undefined
    screen.waits = new Promise((resolve) => (goOn = resolve))
    start(openRuns(), screen, () => endless('x'))
    await sleep(50)
    expect(screen.lines).toEqual(['x'])
    screen.waits = undefined
    goOn(undefined)
    expect(await endOf(screen)).toEqual(['too_much_output'])
  })

  test('kills its program', async () => {
    const abort = new AbortController()
    const first = programLines('processes', abort.signal).next()
    abort.abort()
    await expect(first).rejects.toThrow('aborted')
  })
})

describe('what waits for a client', () => {
  test('is counted until it was handed over', async () => {
    const guard = createGuard({ records: memory(), accept: [ticket({ from: firstMessage() })] })
    const http = createServer().listen(0, '127.0.0.1')
    const io = new Server<Events, Events, Events, GuardedData>(http)
    guardSocketIo(io, guard, { namespaces: { '/console': { dangerouslyAllowEveryEvent: true } } })
    onTestFinished(async () => {
      guard.close()
      await io.close()
    })
    await once(http, 'listening')
    const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}/socket.io/?EIO=4&transport=polling`
    const sid = /"sid":"([^"]+)"/.exec(await (await fetch(base)).text())?.[1]
    const connected = once(io.of('/console'), 'connection')
    const { ticket: secret } = await guard.issue.ticket({ subject: 'otto' })
    await fetch(`${base}&sid=${sid}`, { method: 'POST', body: `40/console,{"ticket":"${secret}"}` })
    const [socket] = await connected

    const whenReady = readiness(socket)
    for (let count = 0; count < 200; count++) socket.emit('line', { count })
    expect(whenReady()).toBeUndefined()
    socket.emit('line', { count: 200 })
    let read = false
    const ready = whenReady()?.then(() => (read = true))
    await sleep(20)
    expect(read).toBe(false)
    await (await fetch(`${base}&sid=${sid}`)).text()
    await ready
    expect(whenReady()).toBeUndefined()
  })
})
