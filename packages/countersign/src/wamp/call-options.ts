/**
 * Options of the messages that a dealer reads. Unknown ones are ignored, known ones of a wrong type make the whole message
 * malformed: booleans are booleans, never 0 or 1 (WAMP, basic profile, "Options").
 */
import { noDict, type Dict } from './messages.ts'
import type { InvocationPolicy } from './dealer-types.ts'
import { matchOf, type Match } from './uri.ts'

/** Options of CALL. */
export interface CallWishes {
  /** The caller takes progressive results. */
  readonly receiveProgress: boolean
  /** More of the arguments follow under the same request id. */
  readonly progress: boolean
  /** The callee may be told who calls. */
  readonly discloseMe: boolean
  /** Time limit, ms; 0 is none. */
  readonly timeoutMs: number
  /** Attributes of payload passthru mode; `noDict` where it is not in use. */
  readonly passthru: Dict
}

/** Options of REGISTER. */
export interface RegisterWishes {
  readonly match: Match
  readonly policy: InvocationPolicy
  readonly discloseCaller: boolean
  readonly forwardTimeout: boolean
  /** Whoever is registered there gives way. */
  readonly force: boolean
}

/** What the callee may do with an INTERRUPT, and when the caller is answered (WAMP, advanced profile, call canceling). */
export type CancelMode = 'skip' | 'kill' | 'killnowait'

/** Longest time limit that timers of common platforms can hold, ms; whatever is longer is cut. */
export const maxTimeoutMs = 2_147_483_647

/** The options of almost every CALL. */
export const plainCall: CallWishes = Object.freeze({
  receiveProgress: false,
  progress: false,
  discloseMe: false,
  timeoutMs: 0,
  passthru: noDict,
})

const policies: ReadonlySet<unknown> = new Set<InvocationPolicy>([
  'single',
  'first',
  'last',
  'roundrobin',
  'random',
])
const cancelModes: ReadonlySet<unknown> = new Set<CancelMode>(['skip', 'kill', 'killnowait'])
const passthruNames = ['ppt_scheme', 'ppt_serializer', 'ppt_cipher', 'ppt_keyid'] as const

/** Reads the options of CALL. @returns `undefined` when one is malformed */
export function callWishes(options: Dict): CallWishes | undefined {
  if (isEmpty(options)) return plainCall
  const receiveProgress = flagOf(options['receive_progress'])
  const progress = flagOf(options['progress'])
  const discloseMe = flagOf(options['disclose_me'])
  const timeoutMs = timeoutOf(options['timeout'])
  const passthru = passthruOf(options)
  if (receiveProgress === undefined || progress === undefined || discloseMe === undefined) return undefined
  if (timeoutMs === undefined || passthru === undefined) return undefined
  return { receiveProgress, progress, discloseMe, timeoutMs, passthru }
}

/** Reads the options of REGISTER. @returns `undefined` when one is malformed */
export function registerWishes(options: Dict): RegisterWishes | undefined {
  const match = matchOf(options['match'])
  const policy = policyOf(options['invoke'])
  const discloseCaller = flagOf(options['disclose_caller'])
  const forwardTimeout = flagOf(options['forward_timeout'])
  const force = flagOf(options['force_reregister'])
  if (match === undefined || policy === undefined) return undefined
  if (discloseCaller === undefined || forwardTimeout === undefined || force === undefined) return undefined
  return { match, policy, discloseCaller, forwardTimeout, force }
}

/** `mode` of CANCEL. @returns `undefined` when there is no such mode; absent means `killnowait` */
export function cancelModeOf(option: unknown): CancelMode | undefined {
  if (option === undefined) return 'killnowait'
  return isCancelMode(option) ? option : undefined
}

/** An option that is a flag; absent means `false`. @returns `undefined` when it is no boolean */
export function flagOf(option: unknown): boolean | undefined {
  if (option === undefined) return false
  return typeof option === 'boolean' ? option : undefined
}

/**
 * The attributes of payload passthru mode, as the other side is told them (WAMP, advanced profile, "Payload Passthru
 * Mode": a `ppt_scheme` that is not empty says that it is in use).
 * @returns `noDict` where it is not in use, `undefined` when an attribute is no string
 */
export function passthruOf(options: Dict): Dict | undefined {
  const scheme = options['ppt_scheme']
  if (scheme === undefined || scheme === '') return noDict
  const found: Record<string, string> = {}
  for (const name of passthruNames) {
    const value = options[name]
    if (value === undefined) continue
    if (typeof value !== 'string') return undefined
    found[name] = value
  }
  return found
}

/** Codecs may give an object of its own for `{}`. */
function isEmpty(options: Dict): boolean {
  if (options === noDict) return true
  for (const _name in options) return false
  return true
}

/** `timeout`: whole milliseconds, 0 switches it off. */
function timeoutOf(option: unknown): number | undefined {
  if (option === undefined) return 0
  if (typeof option !== 'number' || !Number.isInteger(option) || option < 0) return undefined
  return Math.min(option, maxTimeoutMs)
}

/** `invoke`: `single` unless it says otherwise. */
function policyOf(option: unknown): InvocationPolicy | undefined {
  if (option === undefined) return 'single'
  return isPolicy(option) ? option : undefined
}

function isPolicy(option: unknown): option is InvocationPolicy {
  return policies.has(option)
}

function isCancelMode(option: unknown): option is CancelMode {
  return cancelModes.has(option)
}
