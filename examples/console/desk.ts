/** What may be said on `/console`: the policy that judges every message, and what becomes of those that pass. */
import { messagePolicy, type Message, type Policy } from 'countersign'
import type { GuardedData } from 'countersign/socket.io'
import type { DefaultEventsMap as Events, Socket } from 'socket.io'
import { z } from 'zod'
import { roles } from './accounts.ts'
import { commandNamed, commands, type Command, type Prepared } from './commands.ts'
import type { Journal } from './journal.ts'
import { readiness } from './outgoing.ts'
import type { Screen, Outcome, Runs } from './runs.ts'

/** A socket that a guard has let in. */
export type ConsoleSocket = Socket<Events, Events, Events, GuardedData>

/** `["command", { command, args }]`, with nothing else in it. */
const commandMessage = z.strictObject({
  type: z.literal('command'),
  args: z.tuple([z.strictObject({ command: z.string(), args: z.looseObject({}) })]),
})

/** `["stop", { run }]`. */
const stopMessage = z.strictObject({
  type: z.literal('stop'),
  args: z.tuple([z.strictObject({ run: z.int().positive() })]),
})

/** The command that a message asks for, if it is one of the list with arguments of its own and nothing beside. */
function preparedOf(message: unknown): Prepared | undefined {
  const read = commandMessage.safeParse(message)
  if (!read.success) return undefined
  const [{ command, args }] = read.data.args
  return commandNamed(command)?.prepare(args)
}

/**
 * What `authorize` is asked about: the command line. Whatever is no command is a `?`, which nobody may run. So it is
 * refused in the same words as a command of another role, and nobody learns which commands there are.
 */
function lineOf(message: Message): string {
  return preparedOf(message)?.line ?? ['?', ...nameIn(message)].join(' ')
}

/** The name in a message that is no command, if it can be written down. */
function nameIn({ args }: Message): readonly string[] {
  const asked: unknown = Array.isArray(args) ? args[0] : undefined
  const name: unknown =
    typeof asked === 'object' && asked !== null ? Reflect.get(asked, 'command') : undefined
  return typeof name === 'string' && /^\w{1,20}$/.test(name) ? [name] : []
}

/** The policy of `/console`. Each command is authorized by itself, and every refusal is written down before it is told. */
export function consolePolicy(journal: Journal): Policy {
  return messagePolicy({
    actions: {
      command: { roles, resource: lineOf, schema: commandMessage },
      stop: { roles, schema: stopMessage },
    },
    authorize({ roles }, action, line) {
      if (action === 'stop') return true
      const command = commandNamed(line?.split(' ', 1)[0] ?? '')
      return command !== undefined && mayRun(roles, command)
    },
    onRefused({ principal: { id: who, roles }, reason, action, message }) {
      const command = action === 'command' && message !== undefined ? lineOf(message) : undefined
      const act = command === undefined ? 'message' : 'command'
      journal.record({ act, outcome: 'refused', who, roles, command, reason })
    },
    rate: { max: 20, intervalMs: 10_000 },
    excess: { max: 20, intervalMs: 10_000 },
    limits: { maxBytes: 4_096, maxDepth: 4 },
  })
}

/** Whether one of these roles may run a command. */
export function mayRun(roles: readonly string[], command: Command): boolean {
  return command.roles.some((role) => roles.includes(role))
}

/** What a console is told about the commands of its roles. */
export function offered(roles: readonly string[]): readonly object[] {
  return commands
    .filter((command) => mayRun(roles, command))
    .map(({ name, help, usage, choices }) => ({ name, help, usage, choices }))
}

/** Serves one console: greets, runs what passed the policy, and stops everything when the socket is gone. */
export function serveConsole(socket: ConsoleSocket, runs: Runs, journal: Journal): void {
  const { lease } = socket.data
  const { principal } = lease
  const who = principal.id
  const lines = new Map<number, string>()
  const record = (outcome: string, run: number, more: { readonly durationMs?: number } = {}): void =>
    journal.record({
      act: 'command',
      outcome,
      who,
      roles: lease.principal.roles,
      command: lines.get(run),
      run,
      lease: lease.id,
      ...more,
    })
  const screen: Screen = {
    who,
    get over() {
      return lease.over()
    },
    ready: readiness(socket),
    line: (run, text) => void socket.emit('line', { run, text }),
    end(run: number, outcome: Outcome, durationMs: number) {
      record(outcome, run, { durationMs })
      lines.delete(run)
      socket.emit('end', { run, outcome, durationMs })
    },
  }
  socket.on('command', (asked: unknown, answer?: unknown) => {
    const prepared = preparedOf({ type: 'command', args: [asked] })
    // The policy has read it before: what is no command does not come here.
    if (prepared === undefined) return
    const run = runs.start(prepared, screen)
    if (run === 'busy') {
      const { roles } = lease.principal
      journal.record({
        act: 'command',
        outcome: 'refused',
        who,
        roles,
        command: prepared.line,
        reason: 'busy',
      })
    } else {
      lines.set(run, prepared.line)
      record('started', run)
    }
    const told = run === 'busy' ? { refused: 'busy' } : { run, line: prepared.line }
    if (typeof answer === 'function') answer(told)
    else socket.emit('started', told)
  })
  socket.on('stop', ({ run }: { readonly run: number }) => runs.stop(run, screen))
  socket.once('disconnect', () => runs.leave(screen))
  socket.emit('welcome', {
    who,
    roles: principal.roles,
    commands: offered(principal.roles),
    ends_in: Math.floor((lease.untilMs - Date.now()) / 1_000),
  })
}
