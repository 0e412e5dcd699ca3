/** `countersign serve` of a node configuration of Crossbar.io. */
import { MisuseError } from 'countersign'
import type { Logger } from 'pino'
import { writeFinding } from '../server/config.ts'
import { nodeFindings } from '../server/crossbar/explain-findings.ts'
import { mountNode, type Mounted } from '../server/crossbar/mount.ts'
import { ListenError } from '../server/serve.ts'
import type { Call } from './command.ts'
import { findingsError, readConfigFile, type CrossbarRead } from './config-file.ts'
import { CommandError, exitCodes, type ExitCode } from './exit-codes.ts'
import { tellReady, wordsForListening } from './serve-words.ts'
import { runUntilSignal } from './signals.ts'

/** Serves until SIGINT or SIGTERM; SIGHUP reads the file again. @throws CommandError */
export async function serveCrossbar(call: Call, read: CrossbarRead, log: Logger): Promise<ExitCode> {
  const mounted = await mount(call, judged(call, read), log)
  for (const words of mounted.warnings) call.note(`warning  ${words}`)
  // Before the first line says that it is ready: until then the signal would end the process.
  process.on('SIGHUP', reloader(call, mounted))
  tellReady(call, mounted)
  await runUntilSignal(() => mounted.close())
  return exitCodes.ok
}

/** Tells warnings. @throws CommandError config for files that are missing */
function judged(call: Call, read: CrossbarRead): CrossbarRead {
  const { node, text } = read
  const dangerouslyAllowCleartext = call.flag('dangerously-allow-cleartext')
  const findings = [...read.findings, ...nodeFindings(node, { text, dangerouslyAllowCleartext })]
  if (findings.some(({ level }) => level === 'error')) throw findingsError(call.word, findings)
  for (const finding of findings) call.note(`warning  ${writeFinding(call.word, finding)}`)
  return read
}

async function mount(call: Call, { node }: CrossbarRead, log: Logger): Promise<Mounted> {
  try {
    return await mountNode(node, {
      file: call.word,
      log,
      key: call.around.env['COUNTERSIGN_KEY'],
      store: call.text('store'),
      dangerouslyAllowCleartext: call.flag('dangerously-allow-cleartext'),
    })
  } catch (error) {
    if (error instanceof ListenError) throw new CommandError(exitCodes.unreachable, wordsForListening(error))
    if (error instanceof MisuseError)
      throw new CommandError(exitCodes.config, `${call.word}: ${error.message}`)
    throw error
  }
}

/** One reload after the other; whatever happens, what runs goes on. */
function reloader(call: Call, mounted: Mounted): () => void {
  let last: Promise<void> = Promise.resolve()
  return () => {
    last = last.then(() => reload(call, mounted))
  }
}

async function reload(call: Call, mounted: Mounted): Promise<void> {
  try {
    const read = readConfigFile(call.word, call.around.env)
    if (read.kind === 'wrong') throw findingsError(call.word, read.findings)
    if (read.kind === 'config')
      throw new CommandError(exitCodes.config, 'it is no configuration of Crossbar.io any more')
    const result = await mounted.reload(judged(call, read).node)
    call.note(
      result.kind === 'kept'
        ? `kept     ${call.word}: the old configuration holds on: ${result.why}`
        : `reloaded ${call.word}: sessions ended: ${result.ended}, with another role: ${result.changed}`,
    )
  } catch (error) {
    const why = error instanceof CommandError ? error.message : 'it cannot be read'
    call.note(`kept     ${call.word}: the old configuration holds on: ${why}`)
  }
}
