/** Options of PUBLISH and SUBSCRIBE: known ones of a wrong type are wrong arguments, `null` is absent, unknown ones are ignored. */
import { type Audience, audienceOptions, everyone, listOf } from './blackwhite.ts'
import type { Dict } from './messages.ts'
import { type Match, matchOf } from './uri.ts'

/** What a PUBLISH asks for. */
export interface PublishWish {
  /** @default false */
  readonly acknowledge: boolean
  /** The publisher itself gets no event (publisher exclusion). @default true */
  readonly excludeMe: boolean
  /** Subscribers are told who published (publisher identification). @default false */
  readonly discloseMe: boolean
  /** Later subscribers get it too (event retention). @default false */
  readonly retain: boolean
  /** @default everyone */
  readonly audience: Audience | undefined
  /** Attributes of payload passthru mode, for the details of EVENT; `undefined`: not in use. */
  readonly passthru: Dict | undefined
}

type Draft = { -readonly [K in keyof PublishWish]: PublishWish[K] }

/** Takes one option into the draft. @returns whether its type is right */
type Reader = (draft: Draft, value: unknown, name: string) => boolean

const plain: PublishWish = Object.freeze({
  acknowledge: false,
  excludeMe: true,
  discloseMe: false,
  retain: false,
  audience: undefined,
  passthru: undefined,
})

const flag =
  (key: 'acknowledge' | 'excludeMe' | 'discloseMe' | 'retain'): Reader =>
  (draft, value) => {
    if (typeof value !== 'boolean') return false
    draft[key] = value
    return true
  }

const list =
  (key: keyof Audience): Reader =>
  (draft, value) => {
    const listed = listOf(key, value)
    if (listed === undefined) return false
    draft.audience ??= everyone()
    draft.audience[key] = listed
    return true
  }

const passthru: Reader = (draft, value, name) => {
  if (typeof value !== 'string') return false
  draft.passthru = { ...draft.passthru, [name]: value }
  return true
}

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['acknowledge', flag('acknowledge')],
  ['exclude_me', flag('excludeMe')],
  ['disclose_me', flag('discloseMe')],
  ['retain', flag('retain')],
  ['ppt_scheme', passthru],
  ['ppt_serializer', passthru],
  ['ppt_cipher', passthru],
  ['ppt_keyid', passthru],
  ...[...audienceOptions].map(([name, key]): [string, Reader] => [name, list(key)]),
])

/** Reads the options of PUBLISH. @returns `undefined` when a known one has a wrong type */
export function readPublish(options: Dict): PublishWish | undefined {
  const names = Object.keys(options)
  if (names.length === 0) return plain
  const draft: Draft = { ...plain }
  for (const name of names) {
    const value = options[name]
    if (value === undefined || value === null) continue
    const read = readers.get(name)
    if (read !== undefined && !read(draft, value, name)) return undefined
  }
  // Without a scheme the mode is not in use (WAMP, advanced profile, "ppt_scheme Attribute").
  if (draft.passthru !== undefined && !draft.passthru['ppt_scheme']) draft.passthru = undefined
  return draft
}

/** What a SUBSCRIBE asks for. */
export interface SubscribeWish {
  readonly match: Match
  /** The retained event is wanted. @default false */
  readonly getRetained: boolean
}

/** Reads the options of SUBSCRIBE. @returns `undefined` when a known one has a wrong type or value */
export function readSubscribe(options: Dict): SubscribeWish | undefined {
  const match = matchOf(options['match'] ?? undefined)
  const getRetained = options['get_retained'] ?? false
  if (match === undefined || typeof getRetained !== 'boolean') return undefined
  return { match, getRetained }
}
