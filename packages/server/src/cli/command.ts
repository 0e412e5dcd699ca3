/** What a command is: its words for `--help`, its options, and what it does with a parsed line. */
import { parseArgs } from 'node:util'
import { usageError, type ExitCode } from './exit-codes.ts'
import type { Surroundings } from './terminal.ts'

/** One option of a command. */
export interface OptionSpec {
  /** Name of its value in help; `undefined`: a switch. */
  readonly value: string | undefined
  /** May be given several times. */
  readonly multiple: boolean
  readonly text: string
}

/** A command as its file describes it. */
export interface Command {
  /** `user add`. */
  readonly name: string
  /** One line, beginning with a verb. */
  readonly summary: string
  /** Names of the words behind it; a name in brackets may be left out. */
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, OptionSpec>>
  /** Lines below the options in help: what else must be known, and an example. */
  readonly notes: readonly string[]
  run(call: Call): Promise<ExitCode>
}

/** A switch. */
export function flag(text: string): OptionSpec {
  return { value: undefined, multiple: false, text }
}

/** An option with one value. */
export function option(value: string, text: string): OptionSpec {
  return { value, multiple: false, text }
}

/** An option that may be repeated. */
export function repeatable(value: string, text: string): OptionSpec {
  return { value, multiple: true, text }
}

/** Options that every command has. */
export const commonOptions: Readonly<Record<string, OptionSpec>> = {
  json: flag('answer in JSON'),
  help: flag('show this help'),
}

type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>

/** A parsed command line with the surroundings it runs in. */
export class Call {
  readonly around: Surroundings
  readonly words: readonly string[]
  readonly #values: Values

  constructor(around: Surroundings, words: readonly string[], values: Values) {
    this.around = around
    this.words = words
    this.#values = values
  }

  /** Whether `--json` was given. */
  get json(): boolean {
    return this.flag('json')
  }

  /** The first word behind the command; the parser has seen to it that required ones are there. */
  get word(): string {
    return this.words[0] ?? ''
  }

  flag(name: string): boolean {
    return this.#values[name] === true
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  /** Whether an option stands on the line, with whatever value. */
  isGiven(name: string): boolean {
    return this.#values[name] !== undefined
  }

  /** @throws CommandError usage when it was left out */
  required(name: string): string {
    const value = this.text(name)
    if (value === undefined || value === '') throw usageError(`--${name} is missing`)
    return value
  }

  texts(name: string): readonly string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
  }

  /** Writes lines for people to standard output. */
  print(...lines: readonly string[]): void {
    for (const line of lines) this.around.stdout.write(`${line}\n`)
  }

  /** Writes the result: `value` with `--json`, the lines otherwise. */
  answer(value: object, lines: readonly string[]): void {
    if (this.json) this.print(JSON.stringify(value))
    else this.print(...lines)
  }

  /** Writes what is not the result to standard error. */
  note(line: string): void {
    this.around.stderr.write(`${line}\n`)
  }
}

/** Reads what stands behind a command's name. @throws CommandError usage, naming the culprit */
export function parseCall(command: Command, args: readonly string[], around: Surroundings): Call {
  const specs = { ...commonOptions, ...command.options }
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { value, multiple }]) => {
      const type = value === undefined ? ('boolean' as const) : ('string' as const)
      return [name, name === 'help' ? { type, multiple, short: 'h' } : { type, multiple }] as const
    }),
  )
  const { values, positionals } = parsed(wordsLast(args, specs), options)
  if (values['help'] !== true) checkWords(command, positionals)
  return new Call(around, positionals, values)
}

function parsed(
  args: readonly string[],
  options: NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>,
): { readonly values: Values; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw usageError(
      error instanceof Error ? firstSentence(error.message) : 'the command line cannot be read',
    )
  }
}

/**
 * Puts words that begin with one dash behind `--`: identifiers are random and may look like a short option, of which
 * there is only `-h`.
 */
function wordsLast(args: readonly string[], specs: Readonly<Record<string, OptionSpec>>): readonly string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const isWord = (arg: string, index: number): boolean =>
    index < end &&
    /^-[^-]/.test(arg) &&
    arg !== '-h' &&
    specs[args[index - 1]?.slice(2) ?? '']?.value === undefined
  const dashed = args.filter(isWord)
  return [
    ...args.slice(0, end).filter((arg, index) => !isWord(arg, index)),
    '--',
    ...dashed,
    ...args.slice(end + 1),
  ]
}

function checkWords(command: Command, given: readonly string[]): void {
  const required = command.words.filter((word) => !word.startsWith('['))
  const missing = required[given.length]
  if (missing !== undefined) throw usageError(`${missing} is missing`)
  const extra = given[command.words.length]
  if (extra !== undefined) throw usageError(`${extra}: one word too many`)
}

/** Node explains at length how to write a positional that begins with a dash. */
function firstSentence(message: string): string {
  return (message.split(/\. |\n/)[0] ?? message).replace(/\.$/, '')
}
