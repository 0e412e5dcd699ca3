/** Runs one command line to its exit code. The only place that turns errors into words. */
import { MisuseError, OutageError } from 'countersign'
import { programVersion } from '../server/version.ts'
import { parseCall, type Call } from './command.ts'
import { commands, findCommand, groupOf } from './commands.ts'
import { CommandError, exitCodes, usageError, type ExitCode } from './exit-codes.ts'
import { commandHelp, generalHelp, groupHelp } from './help.ts'
import { paint, type Surroundings } from './terminal.ts'

/** Runs the command that `args` names and answers its exit code. Never throws. */
export async function runCommand(args: readonly string[], around: Surroundings): Promise<ExitCode> {
  try {
    return await dispatch(args, around)
  } catch (error) {
    const { exit, message } = wordsFor(error)
    if (args.includes('--json')) around.stderr.write(`${JSON.stringify({ error: message, exit })}\n`)
    else around.stderr.write(`${paint(around.stderr, around.env, 'bad', 'countersign:')} ${message}\n`)
    return exit
  }
}

async function dispatch(args: readonly string[], around: Surroundings): Promise<ExitCode> {
  const found = findCommand(args)
  if (found === undefined) return answerWithoutCommand(args, around)
  const command = await found.row.load()
  const call = withHint(command.name, () => parseCall(command, found.rest, around))
  if (call.flag('help')) {
    print(around, commandHelp(command))
    return exitCodes.ok
  }
  return command.run(call)
}

async function answerWithoutCommand(args: readonly string[], around: Surroundings): Promise<ExitCode> {
  const [word] = args
  if (word === '--version') {
    print(around, [programVersion()])
    return exitCodes.ok
  }
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') {
    return showHelp(around, generalHelp(), word !== undefined)
  }
  const group = await Promise.all(groupOf(word).map((row) => row.load()))
  if (group.length === 0)
    throw usageError(`${quoted(word)} is no command${nearest(word)}; countersign --help lists them`)
  const second = args[1]
  if (second === undefined || second.startsWith('-')) {
    return showHelp(around, groupHelp(group), second === '--help' || second === '-h')
  }
  const names = group.map(({ name }) => name.slice(word.length + 1)).join(', ')
  throw usageError(`${quoted(`${word} ${second}`)} is no command; ${word} has ${names}`)
}

/** Tells where the help of a command is when its line is wrong. */
function withHint(name: string, parse: () => Call): Call {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new CommandError(error.exit, `${error.message}; countersign ${name} --help shows how it is written`)
  }
}

/** Messages of known errors hold no secrets; of unknown ones only the class is told. */
function wordsFor(error: unknown): { readonly exit: ExitCode; readonly message: string } {
  if (error instanceof CommandError) return { exit: error.exit, message: error.message }
  if (error instanceof MisuseError) return { exit: exitCodes.failed, message: error.message }
  if (error instanceof OutageError) return { exit: exitCodes.unreachable, message: error.message }
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  if (error instanceof Error && typeof code === 'string' && 'path' in error) {
    return { exit: exitCodes.unreachable, message: `${String(error.path)}: ${fileTrouble[code] ?? code}` }
  }
  const name = error instanceof Error ? `${error.name}: ${error.message.split('\n')[0] ?? ''}` : typeof error
  return { exit: exitCodes.failed, message: `something unforeseen went wrong (${name})` }
}

const fileTrouble: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'exists already',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
}

/** The command that was probably meant, as a hint. */
function nearest(word: string): string {
  const firsts = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))]
  const close = firsts.find(
    (first) => first.startsWith(word) || word.startsWith(first) || swapped(first) === swapped(word),
  )
  return close === undefined ? '' : `, but ${close} is`
}

function swapped(word: string): string {
  return word.split('').toSorted().join('')
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}

/** Help that nobody asked for is a complaint about the command line. */
function showHelp(around: Surroundings, lines: readonly string[], asked: boolean): ExitCode {
  for (const line of lines) (asked ? around.stdout : around.stderr).write(`${line}\n`)
  return asked ? exitCodes.ok : exitCodes.usage
}

function print(around: Surroundings, lines: readonly string[]): void {
  for (const line of lines) around.stdout.write(`${line}\n`)
}
