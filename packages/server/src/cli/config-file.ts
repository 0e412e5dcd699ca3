/** Reads the configuration that a command line names, or says what is wrong with it, line by line. */
import { readConfig, writeFinding, type Config, type PlacedFinding } from '../server/config.ts'
import type { Call } from './command.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import { paint } from './terminal.ts'

/** What was read: a configuration, or findings of which some are errors. */
export type Read =
  | { readonly kind: 'config'; readonly config: Config }
  | { readonly kind: 'wrong'; readonly findings: readonly PlacedFinding[] }

/** Reads CONFIG. @throws CommandError unreachable when the file cannot be read */
export function readConfigFile(file: string): Read {
  try {
    return readConfig(file)
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
