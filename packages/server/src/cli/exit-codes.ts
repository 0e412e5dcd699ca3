/** How the command ends, for scripts. The table is printed by `--help`. */

/** Exit codes by name. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, config: 3, unreachable: 4 } as const

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What each code means, in the words of `--help`. */
export const exitMeanings: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [exitCodes.ok, 'done'],
  [exitCodes.failed, 'what was asked for failed, or a report shows a difference'],
  [exitCodes.usage, 'the command line is wrong'],
  [exitCodes.config, 'the configuration is wrong'],
  [exitCodes.unreachable, 'something cannot be reached or opened: a taken port, a locked file'],
]

/**
 * Ends a command with words for people: what is wrong, where, why, and what to do. The message must hold no secret;
 * it is printed as it stands, without a stack.
 */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exit: ExitCode

  constructor(exit: ExitCode, message: string) {
    super(message)
    this.exit = exit
  }
}

/** The command line is wrong. */
export function usageError(message: string): CommandError {
  return new CommandError(exitCodes.usage, message)
}
