/** The allow-list: every command with the roles that may run it, the arguments that it takes, and how it is run. */
import { readFile } from 'node:fs/promises'
import { loadavg, uptime } from 'node:os'
import { join } from 'node:path'
import type { StandardSchema } from 'countersign'
import { z } from 'zod'
import { usernames, type Role } from './accounts.ts'
import type { Journal } from './journal.ts'
import type { ProgramName } from './programs.ts'
import { serviceNames, type Services } from './services.ts'

/** What a running command is lent. */
export interface Surroundings {
  readonly journal: Journal
  readonly services: Services
  /** Starts one of the fixed programs. */
  program(name: ProgramName, signal: AbortSignal): AsyncIterable<string>
  /** Tells every open console. @returns how many there are */
  announce(who: string, text: string): number
  /** Ends every session of somebody, and the consoles that rest upon them. @returns how many consoles */
  evict(who: string): Promise<number>
}

/** One run of a command. */
export interface Call extends Surroundings {
  readonly who: string
  /** Says when to stop. */
  readonly signal: AbortSignal
}

/** A command whose arguments were read: what it is called in the journal, and how it is run. */
export interface Prepared {
  readonly command: Command
  readonly line: string
  run(call: Call): AsyncIterable<string>
}

/** One row of the table. */
export interface Command {
  readonly name: string
  readonly roles: readonly Role[]
  readonly help: string
  /** Name of its one argument, for people; empty: it has none. */
  readonly usage: string
  /** What the argument may be, where it is one of a few. */
  readonly choices: readonly string[]
  /** Longest run, ms. */
  readonly maxMs: number
  /** @returns `undefined` for arguments that are not the command's own, all of them and no others */
  prepare(args: unknown): Prepared | undefined
}

/** A row as it is written below. */
interface Row<Args extends object> {
  readonly name: string
  readonly roles: readonly Role[]
  readonly help: string
  readonly usage?: string
  readonly choices?: readonly string[]
  readonly maxMs?: number
  readonly args: StandardSchema<Args>
  readonly run: (args: Args, call: Call) => AsyncIterable<string>
}

const everyone: readonly Role[] = ['viewer', 'operator', 'admin']
const operators: readonly Role[] = ['operator', 'admin']

/** Pages of the handbook that may be shown, in the folder `sandbox`. */
const handbook = ['welcome', 'restarting'] as const

const nothing = z.strictObject({})

/** The table, in the order in which pages show it. */
export const commands: readonly Command[] = [
  row({
    name: 'uptime',
    roles: everyone,
    help: 'How long this machine and this program have been up',
    args: nothing,
    run: () => listed(upFor()),
  }),
  row({
    name: 'services',
    roles: everyone,
    help: 'What each service is doing',
    args: nothing,
    run: (_, { services }) => listed(services.lines()),
  }),
  row({
    name: 'disk',
    roles: everyone,
    help: 'How full the file systems are',
    args: nothing,
    run: (_, { program, signal }) => program('disk', signal),
  }),
  row({
    name: 'show',
    roles: everyone,
    help: 'A page of the handbook',
    usage: 'PAGE',
    choices: handbook,
    args: z.strictObject({ page: z.enum(handbook) }),
    run: ({ page }) => handbookPage(page),
  }),
  row({
    name: 'processes',
    roles: operators,
    help: 'What runs on this machine',
    args: nothing,
    run: (_, { program, signal }) => program('processes', signal),
  }),
  row({
    name: 'logs',
    roles: operators,
    help: 'The journal, followed until you stop it',
    maxMs: 600_000,
    args: nothing,
    run: (_, { journal, signal }) => journal.follow(signal),
  }),
  row({
    name: 'restart',
    roles: operators,
    help: 'Stops a service and starts it again',
    usage: 'SERVICE',
    choices: serviceNames,
    args: z.strictObject({ service: z.enum(serviceNames) }),
    run: ({ service }, { services }) => services.restart(service),
  }),
  row({
    name: 'announce',
    roles: ['admin'],
    help: 'Tells every open console',
    usage: 'TEXT',
    // Printable, and nothing that turns the direction of writing around. With its name it fits a resource: 256 characters.
    args: z.strictObject({ text: z.string().regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,120}$/u) }),
    run: ({ text }, { announce, who }) => listed([`consoles told: ${announce(who, text)}`]),
  }),
  row({
    name: 'evict',
    roles: ['admin'],
    help: 'Ends every session of somebody',
    usage: 'NAME',
    choices: usernames,
    args: z.strictObject({ name: z.enum(usernames) }),
    async *run({ name }, { evict }) {
      yield `consoles of ${name} ended: ${await evict(name)}`
    },
  }),
]

const byName: ReadonlyMap<string, Command> = new Map(commands.map((command) => [command.name, command]))

/** The command of exactly this name. */
export function commandNamed(name: string): Command | undefined {
  return byName.get(name)
}

function row<Args extends object>(written: Row<Args>): Command {
  const { name, roles, help, usage = '', choices = [], maxMs = 10_000, args: schema } = written
  const command: Command = {
    name,
    roles,
    help,
    usage,
    choices,
    maxMs,
    prepare(shown) {
      const read = schema['~standard'].validate(shown)
      if (!('value' in read)) return undefined
      const { value } = read
      const line = [name, ...Object.values(value).map(String)].join(' ')
      return { command, line, run: (call) => written.run(value, call) }
    },
  }
  return command
}

async function* listed(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

function upFor(): readonly string[] {
  const [one, five, fifteen] = loadavg().map((load) => load.toFixed(2))
  return [
    `machine  up ${inWords(uptime())}`,
    `program  up ${inWords(process.uptime())}, ${Math.round(process.memoryUsage.rss() / 1_048_576)} MiB`,
    `load     ${one} ${five} ${fifteen}`,
  ]
}

function inWords(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  if (minutes < 1) return `${Math.floor(seconds)} s`
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

async function* handbookPage(page: (typeof handbook)[number]): AsyncGenerator<string> {
  const text = await readFile(join(import.meta.dirname, 'sandbox', `${page}.txt`), 'utf8')
  yield* text.trimEnd().split('\n')
}
