/** Reads the configuration that a command line names, or says what is wrong with it, line by line. */
import { readFileSync, statSync } from 'node:fs'
import { readConfig, writeFinding, type Config, type PlacedFinding } from '../server/config.ts'
import {
  isCrossbarConfig,
  maxConfigBytes,
  readCrossbarConfig,
  type CrossbarNode,
} from '../server/crossbar/read.ts'
import { readText } from '../server/crossbar/text.ts'
import type { Call } from './command.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import { paint } from './terminal.ts'

/** What was read: a configuration, or findings of which some are errors. */
export type Read =
  | { readonly kind: 'config'; readonly config: Config }
  | CrossbarRead
  | { readonly kind: 'wrong'; readonly findings: readonly PlacedFinding[] }

/** A node configuration of Crossbar.io; its findings are warnings. */
export interface CrossbarRead {
  readonly kind: 'crossbar'
  readonly node: CrossbarNode
  readonly text: string
  readonly findings: readonly PlacedFinding[]
}

/** Variables that a configuration may name. */
type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads CONFIG: this program's own form, or a node configuration of Crossbar.io.
 * @throws CommandError unreachable when the file cannot be read
 */
export function readConfigFile(file: string, environment: Environment): Read {
  try {
    return readCrossbar(file, environment) ?? readConfig(file, environment)
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'is a folder, not a file'
          : 'cannot be read'
    throw new CommandError(exitCodes.unreachable, `${file}: ${why}; name a YAML or JSON file`)
  }
}

/** @returns `undefined` for what is none */
function readCrossbar(
  file: string,
  environment: Environment,
): CrossbarRead | Extract<Read, { kind: 'wrong' }> | undefined {
  if (statSync(file).size > maxConfigBytes) return undefined
  const text = readFileSync(file, 'utf8')
  const read = readText(text, file)
  // What cannot be read at all is Crossbar.io's where it lies in the folder of Crossbar.io.
  const isOurs = read.kind === 'values' ? !isCrossbarConfig(read.values) : !/(?:^|\/)\.crossbar\//.test(file)
  if (isOurs) return undefined
  const reading = readCrossbarConfig(text, { path: file, environment })
  const findings = reading.kind === 'ok' ? reading.warnings : [...reading.issues, ...reading.warnings]
  return reading.kind === 'ok'
    ? { kind: 'crossbar', node: reading.node, text, findings }
    : { kind: 'wrong', findings }
}

/** One line for each finding, with the word that says how bad it is. */
export function findingLines(
  call: Call,
  file: string,
  findings: readonly PlacedFinding[],
): readonly string[] {
  const { stdout, env } = call.around
  return findings.map((finding) => {
    const word =
      finding.level === 'error' ? paint(stdout, env, 'bad', 'error') : paint(stdout, env, 'weak', 'warning')
    return `${word}  ${writeFinding(file, finding)}`
  })
}

/** Findings as JSON. */
export function findingValues(findings: readonly PlacedFinding[]): readonly object[] {
  return findings.map(({ level, line, at, message }) => ({ level, line, path: at, message }))
}

/** The end of a command that cannot use its configuration: one line for each error. */
export function findingsError(file: string, findings: readonly PlacedFinding[]): CommandError {
  const errors = findings.filter(({ level }) => level === 'error')
  const lines = errors.map((finding) => `  ${writeFinding(file, finding)}`)
  return new CommandError(exitCodes.config, `the configuration is wrong\n${lines.join('\n')}`)
}
