/** `countersign serve`: the production form. */
import { MisuseError } from 'countersign'
import { greetAndEcho } from '../lab/greeting.ts'
import { writeFinding, type Config } from '../server/config.ts'
import { createLog } from '../server/log.ts'
import { ListenError, startServer, type Serving } from '../server/serve.ts'
import { option, type Call, type Command } from './command.ts'
import { readConfigFile } from './config-file.ts'
import { CommandError, exitCodes, usageError } from './exit-codes.ts'
import { runUntilSignal } from './signals.ts'
import { alignColumns } from './table.ts'

const levels: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent']

/** Serves. */
export const serve: Command = {
  name: 'serve',
  summary: 'Log people in and guard sockets, as the configuration says, until SIGINT or SIGTERM',
  words: ['CONFIG'],
  options: { log: option('LEVEL', `${levels.join(', ')}: JSON lines on standard error [info]`) },
  notes: [
    'COUNTERSIGN_KEY or keyFile in the configuration holds the key that seals secrets in the database.',
    '"countersign check CONFIG" explains the configuration without starting anything.',
  ],
  async run(call) {
    const config = loadConfig(call)
    const level = logLevel(call, 'info')
    const serving = await start(config, call, level)
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

/** Warnings are told and do not stop it. @throws CommandError config with one line for each error */
function loadConfig(call: Call): Config {
  const read = readConfigFile(call.word)
  if (read.kind === 'wrong') {
    const errors = read.findings.filter(({ level }) => level === 'error')
    const lines = errors.map((finding) => writeFinding(call.word, finding))
    throw new CommandError(
      exitCodes.config,
      `the configuration is wrong\n${lines.map((line) => `  ${line}`).join('\n')}`,
    )
  }
  for (const finding of read.config.findings) call.note(`warning  ${writeFinding(call.word, finding)}`)
  return read.config
}

async function start(config: Config, call: Call, level: string): Promise<Serving> {
  const log = createLog({ level, destination: { write: (line) => void call.around.stderr.write(line) } })
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

/** The cure differs by the cause, so each known cause has its words. */
function wordsForListening({ code, address }: ListenError): string {
  if (code === 'EADDRINUSE') return `${address} is taken: stop what listens there, or choose another "listen"`
  if (code === 'EACCES')
    return `${address}: not allowed; ports below 1024 need a privilege (CAP_NET_BIND_SERVICE)`
  if (code === 'EADDRNOTAVAIL') return `${address} is no address of this machine; choose another "listen"`
  return `${address} cannot be listened on (${code})`
}

/** Messages of misuse name options and never hold secrets. */
function configTrouble(error: MisuseError, file: string): string {
  const key =
    error.code === 'missing_port'
      ? '; for instance keyFile: countersign.key, which is made at the first start'
      : ''
  return `${file}: ${error.message}${key}`
}

function tellReady(call: Call, serving: Serving): void {
  if (call.json) {
    call.print(JSON.stringify({ ready: true, listeners: serving.listeners }))
    return
  }
  call.print(...alignColumns(serving.listeners.map(({ name, url }) => [name, url])))
  for (const { url } of serving.listeners) call.print(`ready ${url}`)
}
