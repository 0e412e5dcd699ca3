/** `countersign audit --repl`: talks with an endpoint by hand, at a terminal or from a script on standard input. */
import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { BudgetSpent } from '../audit/budget.ts'
import { Conversation, Impossible, type Event } from '../audit/conversation.ts'
import { textOf, type Said } from '../audit/conversation-history.ts'
import { LoginFailed } from '../audit/identity.ts'
import { meet } from '../audit/meeting.ts'
import { describeView } from '../audit/oracle.ts'
import type { AuditOptions } from '../audit/options.ts'
import { auditExits, type AuditExit } from '../reports/exit.ts'
import { bare } from '../reports/json.ts'
import { cutText, printableLine } from '../reports/printable.ts'
import { runLine, type ReplAround } from './audit-repl-commands.ts'
import { auditTrouble } from './audit-troubles.ts'
import type { Call } from './command.ts'
import { CommandError } from './exit-codes.ts'
import { columnsOf } from './terminal.ts'

/** How long a conversation may last, milliseconds. */
const maxMs = 3_600_000
const maxShown = 4_000
/** Longest line that is read as one message, characters. */
const maxLine = 1_048_576

/** Talks until `.quit`, the end of the input, or Ctrl-C. @throws CommandError */
export async function converse(call: Call, target: string, options: AuditOptions): Promise<AuditExit> {
  const stop = new AbortController()
  const allowance = { maxMs, ...options.allowance }
  const onSignal = (): void => stop.abort()
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    const meeting = await meet(target, { ...options, allowance, signal: stop.signal })
    if (meeting.kind === 'stopped') {
      if (stop.signal.aborted) return auditExits.clean
      throw new CommandError(auditExits.incomplete, meeting.why)
    }
    if (meeting.kind === 'unreachable')
      throw new CommandError(auditExits.unreachable, `the target does not answer: ${meeting.why}`)
    const { scene, loginTroubles, needs } = meeting
    const screen = new Screen(call, (text) => needs.masking.hide(text))
    const { anonymous, low, high } = scene.baseline
    screen.note(`${bare(scene.endpoint.url)} speaks ${scene.endpoint.protocol}; .help lists what can be done`)
    for (const [who, sight] of Object.entries({ anonymous, low, high }))
      if (sight !== undefined) screen.note(`${who}: ${describeView(sight.view)}`)
    for (const trouble of loginTroubles) screen.note(trouble)
    const conversation = new Conversation(scene, (event) => screen.show(event))
    try {
      await talk(
        call,
        { conversation, screen, protocol: scene.endpoint.protocol, pause: (ms) => scene.budget.pause(ms) },
        stop,
      )
      // Answers to the last line of a script are still on their way.
      if (!stop.signal.aborted) await scene.budget.pause(scene.oracle.settleMs)
    } finally {
      await conversation.end()
    }
    return auditExits.clean
  } catch (error) {
    if (error instanceof BudgetSpent && stop.signal.aborted) return auditExits.clean
    throw auditTrouble(error)
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

async function talk(
  call: Call,
  around: ReplAround & { readonly screen: Screen },
  stop: AbortController,
): Promise<void> {
  const { stdin, stdout } = call.around
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true
  const output = new Writable({
    write(chunk, _encoding, done) {
      if (isTerminal) stdout.write(String(chunk))
      done()
    },
  })
  Object.assign(output, { columns: columnsOf(stdout, 80) })
  await attempt(around, () => around.conversation.become(around.conversation.who))
  const lines = createInterface({
    input: stdin,
    output,
    terminal: isTerminal,
    historySize: isTerminal ? 200 : 0,
  })
  lines.on('SIGINT', () => stop.abort())
  const onStop = (): void => lines.close()
  stop.signal.addEventListener('abort', onStop)
  if (stop.signal.aborted) lines.close()
  const prompt = (): void => {
    if (!isTerminal) return
    lines.setPrompt(`${around.conversation.who}> `)
    lines.prompt(true)
  }
  around.screen.promptWith(isTerminal ? prompt : undefined)
  prompt()
  try {
    for await (const line of lines) {
      if (line.length > maxLine) around.screen.note(`a line of over ${maxLine} characters is not sent`)
      else if ((await attempt(around, () => runLine(line, around))) === 'quit') break
      prompt()
    }
  } finally {
    around.screen.promptWith(undefined)
    stop.signal.removeEventListener('abort', onStop)
    close(lines)
    // Nobody reads on: standard input must not keep the process.
    stdin.destroy()
  }
}

function close(lines: Interface): void {
  lines.close()
}

/** Does something; what cannot be done is said, and the conversation goes on. */
async function attempt<T>(
  { screen }: Pick<ReplAround, 'screen'>,
  act: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof Impossible || error instanceof LoginFailed) screen.note(error.message)
    else throw error
    return undefined
  }
}

/** Where the conversation is shown, without secrets and without control characters. */
class Screen {
  readonly #call: Call
  readonly #hide: (text: string) => string
  #prompt: (() => void) | undefined

  constructor(call: Call, hide: (text: string) => string) {
    this.#call = call
    this.#hide = hide
  }

  /** Draws the prompt again below whatever is shown. */
  promptWith(prompt: (() => void) | undefined): void {
    this.#prompt = prompt
  }

  note(text: string): void {
    this.#print(`* ${this.#clean(text)}`)
  }

  show(event: Event): void {
    if (event.kind === 'said') this.#print(this.lineOf(event.said))
    else if (event.kind === 'opened') this.note(`${event.who}: ${event.words}`)
    else {
      const { code, reason, why } = event.ending
      this.note(
        `${event.who}: closed ${code}${reason === '' ? '' : ` ${reason}`}${why === undefined ? '' : `, ${why}`}`,
      )
    }
  }

  /** One message as a line. */
  lineOf(said: Said): string {
    const arrow = said.from === 'scanner' ? '→' : '←'
    return `${String(said.number).padStart(4)} ${said.who} ${arrow} ${this.textOf(said)}`
  }

  /** A message's text as it may be shown. */
  textOf(said: Said): string {
    const text = this.#clean(textOf(said))
    return text.length <= maxShown ? text : `${cutText(text, maxShown)} (${text.length} characters)`
  }

  #clean(text: string): string {
    return printableLine(this.#hide(text))
  }

  #print(line: string): void {
    if (this.#prompt === undefined) this.#call.print(line)
    else {
      this.#call.around.stdout.write(`\r\u001b[K${line}\n`)
      this.#prompt()
    }
  }
}
