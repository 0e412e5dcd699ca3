/** The questions by name: what a conversation reads like. */
import { ask, type Talk } from './drive.ts'
import type { Caller } from './handshake.ts'
import type {
  ApplicationCaller,
  ApplicationCheck,
  ApplicationVisitor,
  Challenge,
  Ed25519Signature,
  Heard,
  KeyFinder,
  PublicKey,
  Signer,
  Source,
  SourceQuestion,
} from './ports.ts'
import type { Grant } from './principal.ts'
import type {
  AccountRow,
  ApiKeyRow,
  ChallengeSecretRow,
  Hash,
  Mark,
  PublicKeyRow,
  Salting,
  ScramDerivation,
  ScramKeyRow,
  SessionRow,
  SpentRow,
  TicketRow,
} from './records.ts'

/** Removes and returns a single-use row: taken first, checked afterwards. */
export const takeTicket = (key: Hash): Talk<TicketRow | undefined> =>
  ask<'takeTicket'>({ kind: 'takeTicket', key })
/** Reads a session. */
export const findSession = (key: Hash): Talk<SessionRow | undefined> =>
  ask<'findSession'>({ kind: 'findSession', key })
/** Notes that a session is in use. */
export const touchSession = (key: Hash, now: number): Talk<void> =>
  ask<'touchSession'>({ kind: 'touchSession', key, now })
/** Reads an API key. */
export const findApiKey = (key: Hash): Talk<ApiKeyRow | undefined> =>
  ask<'findApiKey'>({ kind: 'findApiKey', key })
/** Reads an account. */
export const findAccount = (username: string): Talk<AccountRow | undefined> =>
  ask<'findAccount'>({ kind: 'findAccount', username })
/** Reads a challenge secret. */
export const findChallengeSecret = (authid: string): Talk<ChallengeSecretRow | undefined> =>
  ask<'findChallengeSecret'>({ kind: 'findChallengeSecret', authid })
/** Spends a challenge secret; `true` for exactly one caller. */
export const takeChallengeSecret = (authid: string): Talk<boolean> =>
  ask<'takeChallengeSecret'>({ kind: 'takeChallengeSecret', authid })
/** Saltings of real secrets, to draw decoys from. */
export const listSaltings = (): Talk<readonly (Salting | undefined)[]> =>
  ask<'listSaltings'>({ kind: 'listSaltings', most: 16 })
/** Reads the SCRAM keys of an account. */
export const findScramKey = (username: string): Talk<ScramKeyRow | undefined> =>
  ask<'findScramKey'>({ kind: 'findScramKey', username })
/** Derivations of real SCRAM keys, to draw decoys from. */
export const listScramDerivations = (): Talk<readonly ScramDerivation[]> =>
  ask<'listScramDerivations'>({ kind: 'listScramDerivations', most: 16 })
/** Reads a public key. */
export const findPublicKey = (publicKey: string): Talk<PublicKeyRow | undefined> =>
  ask<'findPublicKey'>({ kind: 'findPublicKey', publicKey })
/** The public keys of an account. */
export const listPublicKeys = (username: string): Talk<readonly PublicKeyRow[]> =>
  ask<'listPublicKeys'>({ kind: 'listPublicKeys', username })
/** Notes that something of somebody else's was used; `true` for exactly one caller. */
export const putSpent = (row: SpentRow): Talk<boolean> => ask<'putSpent'>({ kind: 'putSpent', row })
/** Whether it was used before. */
export const findSpent = (key: Hash): Talk<boolean> => ask<'findSpent'>({ kind: 'findSpent', key })
/** The mark that revokes this grant, this lease or what this caller was granted. */
export const findMark = (grant: Grant, lease: string, caller: Caller): Talk<Mark | undefined> =>
  ask<'findMark'>({ kind: 'findMark', grant, lease, caller })
/** Wait in ms before this identity may be tried from this source. */
export const attempt = (identity: string, source: string): Talk<number> =>
  ask<'attempt'>({ kind: 'attempt', identity, source })
/** Counts how an attempt ended. Not 0: refuse it whatever it was, and let it wait that long, ms. */
export const attempted = (identity: string, source: string, right: boolean): Talk<number> =>
  ask<'attempted'>({ kind: 'attempted', identity, source, right })
/** SHA-256 of a text or of bytes. */
export const hash = (text: string | Uint8Array): Talk<Hash> => ask<'hash'>({ kind: 'hash', text })
/** HMAC-SHA-256, base64. */
export const hmac = (key: string | Uint8Array, text: string): Talk<string> =>
  ask<'hmac'>({ kind: 'hmac', key, text })
/** HMAC-SHA-256 under the deployment's own decoy key, base64. */
export const decoy = (text: string): Talk<string> => ask<'decoy'>({ kind: 'decoy', text })
/** PBKDF2-HMAC-SHA256. */
export const derive = (secret: string, salting: Salting): Talk<Uint8Array> =>
  ask<'derive'>({ kind: 'derive', secret, salting })
/** Checks an Ed25519 signature. */
export const verifyEd25519 = (signed: Ed25519Signature): Talk<boolean> =>
  ask<'verifyEd25519'>({ kind: 'verifyEd25519', ...signed })
/** Signs for the server. */
export const sign = (signer: Signer, message: Uint8Array): Talk<Uint8Array> =>
  ask<'sign'>({ kind: 'sign', signer, message })
/** Random bytes, base64url. */
export const random = (bytes: number): Talk<string> => ask<'random'>({ kind: 'random', bytes })
/** Judges a password at constant cost. */
export const verifyPassword = (
  who: { readonly identity: string; readonly source: string },
  password: string,
  stored: string | undefined,
): Talk<'right' | 'wrong' | 'busy'> =>
  ask<'verifyPassword'>({ kind: 'verifyPassword', ...who, password, hash: stored })
/** Finds the public key that a token names. */
export const findKey = (finder: KeyFinder, now: number): Talk<PublicKey | undefined> =>
  ask<'findKey'>({ kind: 'findKey', finder, now })
/** Asks whether this key's owner signed the text. */
export const verify = (key: PublicKey, text: string, signature: Uint8Array): Talk<boolean> =>
  ask<'verify'>({ kind: 'verify', key, text, signature })
/** Asks the web application whose session a value is. */
export const askApplication = (
  check: ApplicationCheck,
  value: string,
  caller: ApplicationCaller,
): Talk<ApplicationVisitor | undefined> =>
  ask<'askApplication'>({ kind: 'askApplication', check, value, caller })
/** Asks one source about somebody. */
export function* consult<Found extends object>(
  source: Source<Found>,
  question: SourceQuestion,
): Talk<Found | 'denied' | undefined> {
  // The table of questions cannot know what each source finds; the source's own type does.
  return (yield* ask<'consult'>({ kind: 'consult', source, question })) as Found | 'denied' | undefined
}
/** Gives the peer the word. */
export const hear = (say: Challenge | undefined): Talk<Heard> => ask<'hear'>({ kind: 'hear', say })
