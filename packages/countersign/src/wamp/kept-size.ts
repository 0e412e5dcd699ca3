/** How much memory is held by what is kept: estimates for bounds. */
import type { Audience } from './blackwhite.ts'
import { SpanPayload } from './codec-span.ts'
import type { Payload } from './payload.ts'

/** Bytes of a payload: as it came in, or as JSON where the router itself has made it. */
export function payloadBytes(payload: Payload): number {
  return payload instanceof SpanPayload ? payload.to - payload.from : payload.bytes('json').length
}

/** Objects around a kept event, and around one entry of a list. */
const eventBytes = 256
const listedBytes = 32

/** Bytes of an event with the lists of whom it is for. */
export function eventSize(event: {
  readonly topic: string
  readonly payload: Payload
  readonly audience: Audience | undefined
}): number {
  let bytes = eventBytes + event.topic.length + payloadBytes(event.payload)
  if (event.audience === undefined) return bytes
  const { exclude, excludeAuthid, excludeAuthrole, eligible, eligibleAuthid, eligibleAuthrole } =
    event.audience
  for (const list of [exclude, excludeAuthid, excludeAuthrole, eligible, eligibleAuthid, eligibleAuthrole]) {
    for (const one of list ?? []) bytes += listedBytes + (typeof one === 'string' ? one.length : 0)
  }
  return bytes
}
