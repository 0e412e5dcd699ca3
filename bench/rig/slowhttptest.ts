/** What slowhttptest says at its end. */

/** How a run ended. */
export interface SlowOutcome {
  readonly seconds: number
  /** Whether the server had ended every connection; otherwise time was up, or the server was gone. */
  readonly emptied: boolean
  /** Whether every probe that was made meanwhile was answered. */
  readonly available: boolean
}

/** Reads the output of a whole run, colours included; `undefined` where it does not say that it has ended. */
export function readSlowHttpTest(output: string): SlowOutcome | undefined {
  // It colours its output wherever it writes to.
  const plain = output.replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, '')
  const seconds = /Test ended on (\d+)\w\w second/.exec(plain)?.[1]
  const status = /Exit status:\s*(.+)/.exec(plain)?.[1]
  if (seconds === undefined || status === undefined) return undefined
  return {
    seconds: Number(seconds),
    emptied: status.trim() === 'No open connections left',
    available: !/service available:\s*NO/.test(plain),
  }
}
