/** Ends a running command on SIGINT or SIGTERM. */

/**
 * Waits for the first signal, then closes; a second signal ends the process at once. Closing that takes longer than
 * `withinMs` is cut short.
 */
export async function runUntilSignal(close: () => Promise<void>, withinMs = 1_800): Promise<void> {
  await new Promise<void>((resolve) => {
    const onSignal = (): void => {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
      process.once('SIGINT', exitNow).once('SIGTERM', exitNow)
      resolve()
    }
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  })
  const timer = setTimeout(() => process.exit(0), withinMs)
  timer.unref()
  await close()
  // Keep-alive connections and other people's timers must not hold the process.
  process.exit(0)
}

function exitNow(): void {
  process.exit(0)
}
