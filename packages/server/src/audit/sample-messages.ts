/** Messages that may be sent, to be changed and sent again. */
import { isJsonArray, isJsonObject, type Json } from 'countersign/wire'
import type { Scene } from './check.ts'
import { jsonOf } from './json-of.ts'

const maxMessages = 3

/** A message as it stands on the wire: what is before its JSON, and the JSON. */
export interface Sample {
  /** `42/console,1` of Socket.IO; nothing elsewhere. */
  readonly prefix: string
  /** `undefined` for a message that is no JSON. */
  readonly value: Json | undefined
  readonly text: string
}

/** What the configuration offers: its messages, else the question who one is, else something that no application knows. */
export function samplesOf({ options, dialect, endpoint }: Scene): readonly Sample[] {
  const whoami = options.whoami?.send
  const probes = options.messages ?? [whoami ?? { type: 'audit', event: 'audit', id: 1, text: 'hello' }]
  return probes
    .flatMap((probe) => dialect.messagesOf(probe, endpoint))
    .slice(0, maxMessages)
    .map(sampleOf)
}

/** Takes a message apart. */
export function sampleOf(text: string): Sample {
  const prefix = /^\d+(?:\/[^,]*,)?\d*(?=[[{])/.exec(text)?.[0] ?? ''
  return { prefix, value: jsonOf(text.slice(prefix.length)), text }
}

/** The message once for each text in it that an application may use, with another in its place. */
export function withTexts({ prefix, value }: Sample, other: string): readonly string[] {
  return placesIn(value)
    .slice(0, 6)
    .map((at) => prefix + JSON.stringify(replaced(value, at, other)))
}

type Path = readonly (string | number)[]

/** Where texts stand, at most three levels deep. */
function placesIn(value: Json | undefined, path: Path = []): readonly Path[] {
  if (typeof value === 'string') return [path]
  if (path.length >= 3) return []
  if (isJsonArray(value)) return value.flatMap((one, at) => placesIn(one, [...path, at]))
  if (isJsonObject(value))
    return Object.entries(value).flatMap(([name, one]) => placesIn(one, [...path, name]))
  return []
}

function replaced(value: Json | undefined, [step, ...rest]: Path, other: Json): Json {
  if (step === undefined) return other
  if (isJsonArray(value)) return value.map((one, at) => (at === step ? replaced(one, rest, other) : one))
  if (!isJsonObject(value)) return value ?? null
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, name === step ? replaced(one, rest, other) : one]),
  )
}
