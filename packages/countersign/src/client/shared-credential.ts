/** One refresh of a reusable token for all tabs of a site. */
import type { Ask, GetCredential, MaybePromise } from './carrier.ts'

/** The members that are used of Web Locks. */
export interface Locks {
  request<T>(name: string, run: () => Promise<T>): Promise<T>
}

/** The members that are used of a `BroadcastChannel`. */
export interface Signals {
  postMessage(message: string): void
  addEventListener(
    type: 'message',
    listener: (event: { readonly type: string; readonly data?: unknown }) => void,
  ): void
  close(): void
}

/** How a token is shared. */
export interface SharedCredentialOptions {
  /** Names lock and channel: one name for one token. */
  readonly name: string
  /** The token of now, from where the tabs of the site keep it together; `undefined`: there is none. */
  readonly read: () => MaybePromise<string | undefined>
  /** Gets another and keeps it where `read` finds it. Throw `Unauthorized` when nobody is logged in. */
  readonly refresh: (signal: AbortSignal) => MaybePromise<string>
  /** Whether a token that was read may be shown. @default any that was not refused */
  readonly isFresh?: (token: string) => boolean
  /** @default those of the runtime, where it has them */
  readonly locks?: Locks | undefined
  /** Opens the channel of a name. @default the runtime's, where it has them */
  readonly channel?: ((name: string) => Signals) | undefined
}

/** Who waited longer than this for a turn has waited for another tab, ms. */
const noticedMs = 20
/** For how long it looks for what that tab has kept, ms. */
const lookingMs = 500
/** Between two looks, ms. */
const lookMs = 50
/** How long whoever has refreshed keeps its turn, ms: who asks meanwhile, and sees nothing yet, looks. */
const lingerMs = 150
/** How long another tab is waited for where there are no locks, ms. */
const patienceMs = 5_000

/**
 * A `getCredential` for a token that serves many connections, such as a JWT. Of all tabs that need another at the same
 * time one refreshes, behind a Web Lock, and the others read what it got. Where there are no locks, tabs signal each other
 * that one is at it. Signals carry no token. Tickets serve one connection: get one for each, without this.
 */
export function sharedCredential(options: SharedCredentialOptions): GetCredential {
  const { name, read, refresh, isFresh = () => true } = options
  const locks = 'locks' in options ? options.locks : runtimeLocks()
  const turns = locks ?? turnsBySignals(options)
  let shown: string | undefined
  let running: Promise<string> | undefined

  const usable = async (refused: string | undefined): Promise<string | undefined> => {
    const token = await read()
    if (token === undefined || (refused !== undefined && token === shown)) return undefined
    return isFresh(token) ? token : undefined
  }
  /** What another tab has kept while we waited for our turn may reach us after our turn has: `localStorage` is slow. */
  const found = async (refused: string | undefined, askedMs: number): Promise<string | undefined> => {
    const beganMs = Date.now()
    const patientMs = beganMs - askedMs > noticedMs ? lookingMs : 0
    for (;;) {
      const token = await usable(refused)
      // By the time and not by the number of looks: in the background each may take a second.
      if (token !== undefined || Date.now() - beganMs >= patientMs) return token
      await pause(lookMs)
    }
  }
  const renewed = async (token: string | undefined, { refused, signal }: Ask): Promise<string> => {
    if (token !== undefined) return token
    const askedMs = Date.now()
    running ??= new Promise<string>((resolve, reject) => {
      const turn = async (): Promise<void> => {
        const kept = await found(refused, askedMs)
        resolve(kept ?? (await refresh(signal)))
        if (kept === undefined) await pause(lingerMs)
      }
      turns.request(`countersign:${name}`, turn).catch(reject)
    }).finally(() => (running = undefined))
    return running
  }
  return async (ask) => {
    // To renew a lease takes a token that lasts longer than the one it rests upon.
    const stale = ask.purpose === 'renew' ? 'renew' : ask.refused
    shown = await renewed(await usable(stale), { ...ask, refused: stale })
    return shown
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function runtimeLocks(): Locks | undefined {
  // In the types of some runtimes and not of others.
  const { navigator } = globalThis as { readonly navigator?: { readonly locks?: Locks } }
  return navigator?.locks
}

/** The best that can be done without locks: whoever hears that another is at it waits for that one's end, once. */
function turnsBySignals({ name, channel = runtimeChannel() }: SharedCredentialOptions): Locks {
  return {
    async request(_name, run) {
      const signals = channel?.(`countersign:${name}`)
      if (signals === undefined) return run()
      try {
        await othersTurn(signals)
        // A tab that asks or claims meanwhile hears that somebody is at it.
        signals.addEventListener('message', ({ data }) => {
          if (data !== 'done' && claimIn(data) !== surest) say(signals, `mine ${surest}`)
        })
        return await run()
      } finally {
        say(signals, 'done')
        signals.close()
      }
    },
  }
}

/** All that is ever said to other tabs. Of two that claim the turn the lower number has it. */
function say(signals: Signals, word: 'anybody' | `mine ${number}` | 'done'): void {
  // A channel has no target: it never leaves its origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  signals.postMessage(word)
}

/** How long an answer to "is anybody at it", or to a claim, may take, ms. */
const answerMs = 50
/** The claim of whoever has the turn; others draw theirs between 0 and 1. */
const surest = -1

/** Asks, claims, and has the turn when nobody with a better claim has objected; else waits for that one's end. */
function othersTurn(signals: Signals): Promise<void> {
  return new Promise((resolve) => {
    const own = Math.random()
    let state: 'asks' | 'claims' | 'waits' = 'asks'
    const claim = (): void => {
      state = 'claims'
      say(signals, `mine ${own}`)
      timer = setTimeout(resolve, answerMs)
    }
    let timer = setTimeout(claim, answerMs)
    signals.addEventListener('message', ({ data }) => {
      const other = claimIn(data)
      if (data === 'done' && state === 'waits') resolve()
      else if (other === undefined || other > own) {
        // Whoever asks, or claims with less, hears of this claim.
        if (state === 'claims' && data !== 'done') say(signals, `mine ${own}`)
      } else if (state !== 'waits' || other === surest) {
        state = 'waits'
        clearTimeout(timer)
        timer = setTimeout(resolve, patienceMs)
      }
    })
    say(signals, 'anybody')
  })
}

/** The number of a claim; `undefined` for other words, and for whatever else a channel may carry. */
function claimIn(data: unknown): number | undefined {
  const found = typeof data === 'string' ? /^mine (-?[\d.e-]+)$/.exec(data)?.[1] : undefined
  return found === undefined ? undefined : Number(found)
}

function runtimeChannel(): ((name: string) => Signals) | undefined {
  return typeof BroadcastChannel === 'function' ? (name) => new BroadcastChannel(name) : undefined
}
