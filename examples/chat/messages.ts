/**
 * What may be said, by whom, and what it must look like: one table for both doors. A Socket.IO event and a JSON frame
 * differ in their wrapping alone.
 */
import { messagePolicy, type ActionRule, type Policy, type StandardSchema } from 'countersign'
import { z } from 'zod'

/** Longest message, in characters as people count them (code points). */
export const maxCharacters = 500

/** Control characters, halves of surrogate pairs, line separators, and marks that turn the direction of what follows. */
const unprintable = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u

const words = z
  .string()
  .trim()
  .refine((text) => !unprintable.test(text))
  .refine((text) => text !== '' && Array.from(text).length <= maxCharacters)

/** Degrees to about 100 m: enough for a map of the world, too little for a front door. `+ 0` makes -0 a 0. */
const degrees = (most: number) =>
  z
    .number()
    .min(-most)
    .max(most)
    .transform((value) => Math.round(value * 1_000) / 1_000 + 0)

/** Strict objects: a member that is not named here, `priv` and `nickname` included, refuses the message. */
const spoken = z.strictObject({ message: words, lat: degrees(90), lon: degrees(180) })
const removal = z.strictObject({ number: z.int().positive() })
const silence = z.strictObject({ nickname: z.string().max(64), minutes: z.int().min(1).max(60) })

/** A message that passed. */
export interface Spoken {
  /** Trimmed, 1 to 500 characters on one line. */
  readonly message: string
  /** Degrees, rounded. */
  readonly lat: number
  /** See `lat`. */
  readonly lon: number
}

/** A moderator takes a message away. */
export interface Removal {
  readonly number: number
}

/** A moderator silences somebody. */
export interface Silence {
  readonly nickname: string
  /** 1 to 60. */
  readonly minutes: number
}

/** A row whose schema makes this of a message. */
type Row<Value> = ActionRule & { readonly schema: StandardSchema<Value> }

const everyone = ['member', 'moderator'] as const
const moderators = ['moderator'] as const

/** Of one socket, refused messages included. What a person may say on all their sockets together is in `speech.ts`. */
const bounds = {
  rate: { max: 30, intervalMs: 10_000 },
  excess: { max: 30, intervalMs: 60_000 },
  limits: { maxBytes: 8_192, maxDepth: 4, maxQueued: 8, maxQueuedBytes: 16_384 },
} as const

/** An event has its name, and exactly one argument. */
const event = <T extends z.ZodType>(body: T) => z.strictObject({ type: z.string(), args: z.tuple([body]) })

/** What passes as a Socket.IO event. */
export const eventPolicy: Policy = messagePolicy({
  ...bounds,
  actions: {
    'outgoing message': { match: 'exact', roles: everyone, schema: event(spoken) },
    'remove message': { match: 'exact', roles: moderators, schema: event(removal) },
    mute: { roles: moderators, schema: event(silence) },
  },
})

/** A frame has its type beside what an event has as its argument, and may have an `id` for the answer to repeat. */
const head = { type: z.string(), id: z.union([z.number(), z.string().max(64)]).optional() }

/** What passes as a JSON frame on a plain socket. */
export const framePolicy: Policy<{
  readonly message: Row<Spoken>
  readonly remove: Row<Removal>
  readonly mute: Row<Silence>
}> = messagePolicy({
  ...bounds,
  actions: {
    message: { roles: everyone, schema: spoken.extend(head) },
    remove: { roles: moderators, schema: removal.extend(head) },
    mute: { roles: moderators, schema: silence.extend(head) },
  },
})
