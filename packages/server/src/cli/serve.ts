/** `countersign serve`: the production form. */
import { MisuseError } from 'countersign'
import type { Logger } from 'pino'
import { greetAndEcho } from '../lab/greeting.ts'
import { writeFinding, type Config } from '../server/config.ts'
import { createLog } from '../server/log.ts'
import { ListenError, startServer, type Serving } from '../server/serve.ts'
import { flag, option, type Call, type Command } from './command.ts'
import { findingsError, readConfigFile } from './config-file.ts'
import { CommandError, exitCodes, usageError } from './exit-codes.ts'
import { serveCrossbar } from './serve-crossbar.ts'
import { runUntilSignal } from './signals.ts'
import { tellReady, wordsForListening } from './serve-words.ts'

const levels: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent']

/** Serves. */
export const serve: Command = {
  name: 'serve',
  summary: 'Log people in and guard sockets, as the configuration says, until SIGINT or SIGTERM',
  words: ['CONFIG'],
  options: {
    log: option('LEVEL', `${levels.join(', ')}: JSON lines on standard error [info]`),
    store: option('FILE', 'of Crossbar.io: database for x_accounts [countersign.db beside CONFIG]'),
    'dangerously-allow-cleartext': flag(
      'of Crossbar.io: tickets and cookies beyond this machine without TLS',
    ),
  },
  notes: [
    'CONFIG is a file of this program or a node configuration of Crossbar.io, whose users, roles, rules and',
    'certificates are read again on SIGHUP.',
    'COUNTERSIGN_KEY or keyFile in the configuration holds the key that seals secrets in the database.',
    '"countersign check CONFIG" explains the configuration without starting anything.',
  ],
  async run(call) {
    const level = logLevel(call, 'info')
    const read = readConfigFile(call.word, call.around.env)
    if (read.kind === 'wrong') throw findingsError(call.word, read.findings)
    if (read.kind === 'crossbar') return await serveCrossbar(call, read, logOf(call, level))
    const { config } = read
    for (const finding of config.findings) call.note(`warning  ${writeFinding(call.word, finding)}`)
    const serving = await start(config, call, logOf(call, level))
    tellReady(call, serving)
    await runUntilSignal(() => serving.close())
    return exitCodes.ok
  },
}

/** The level of `--log`. @throws CommandError usage */
export function logLevel(call: Call, otherwise: string): string {
  const level = call.text('log') ?? otherwise
  if (!levels.includes(level)) throw usageError(`--log ${level}: one of ${levels.join(', ')}`)
  return level
}

function logOf(call: Call, level: string): Logger {
  return createLog({ level, destination: { write: (line) => void call.around.stderr.write(line) } })
}

async function start(config: Config, call: Call, log: Logger): Promise<Serving> {
  try {
    return await startServer(config, {
      log,
      applications: { echo: greetAndEcho },
      key: call.around.env['COUNTERSIGN_KEY'],
    })
  } catch (error) {
    if (error instanceof ListenError) throw new CommandError(exitCodes.unreachable, wordsForListening(error))
    if (error instanceof MisuseError)
      throw new CommandError(exitCodes.config, configTrouble(error, call.word))
    throw error
  }
}

/** Messages of misuse name options and never hold secrets. */
function configTrouble(error: MisuseError, file: string): string {
  const key =
    error.code === 'missing_port'
      ? '; for instance keyFile: countersign.key, which is made at the first start'
      : ''
  return `${file}: ${error.message}${key}`
}
