/** Something outside this process's memory that must not outlive the browser. */
export interface Belonging {
  /** Ends it in order. Must not throw. */
  readonly end: () => Promise<void>
  /** Ends it at once, without awaiting: the process is exiting. Must not throw. */
  readonly endNow: () => void
}

/** What one browser owns, given back in the reverse order of keeping. */
export interface Belongings {
  /** Takes charge of `belonging`; when everything was already given back, ends it straight away. */
  readonly keep: (belonging: Belonging) => void
  /** Ends everything kept. The second and later calls wait for the first. */
  readonly release: () => Promise<void>
}

/** How to end, at once, what each unreleased set still holds. */
const live = new Set<() => void>()
/** Those whose default would end the process without an `exit` event. */
const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Makes an empty set of belongings that is also given back when this process exits or is told to end. */
export function createBelongings(): Belongings {
  const kept: Belonging[] = []
  let released: Promise<void> | undefined
  const endNow = (): void => {
    for (const belonging of kept.toReversed()) belonging.endNow()
  }
  const endAll = async (): Promise<void> => {
    for (let last = kept.at(-1); last !== undefined; last = kept.at(-1)) {
      await last.end()
      kept.splice(kept.indexOf(last), 1)
    }
    forget(endNow)
  }
  remember(endNow)
  return {
    keep: (belonging) => {
      if (released === undefined) kept.push(belonging)
      else belonging.endNow()
    },
    release: () => (released ??= endAll()),
  }
}

/** The process's own listeners exist only while a browser does, so that idle programs end as they always did. */
function remember(endNow: () => void): void {
  if (live.size === 0) {
    process.on('exit', endAllNow)
    for (const signal of signals) process.on(signal, endOnSignal)
  }
  live.add(endNow)
}

function forget(endNow: () => void): void {
  live.delete(endNow)
  if (live.size > 0) return
  process.off('exit', endAllNow)
  for (const signal of signals) process.off(signal, endOnSignal)
}

function endAllNow(): void {
  for (const endNow of live) endNow()
}

function endOnSignal(signal: NodeJS.Signals): void {
  // A program with a handler of its own ends in its own order, and `exit` follows.
  if (process.listenerCount(signal) > 1) return
  endAllNow()
  process.off(signal, endOnSignal)
  process.kill(process.pid, signal)
}
