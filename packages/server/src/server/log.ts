/** The program's log: one JSON line an event, in which no credential ever appears. */
import { pino, type DestinationStream, type Logger } from 'pino'

/** Header fields that hold or may hold a secret, redacted wherever a line should ever contain headers. */
const secretHeaders: readonly string[] = [
  'authorization',
  'cookie',
  'set-cookie',
  'proxy-authorization',
  'sec-websocket-protocol',
  'client-cert',
  'client-cert-chain',
  'x-forwarded-client-cert',
]

/** Members that hold a secret, wherever an object with them should ever be logged. */
const secretMembers: readonly string[] = [
  'password',
  'ticket',
  'csrf',
  'secret',
  'credential',
  'access_token',
]

/** Options of the log. */
export interface LogOptions {
  /** @default 'info' */
  readonly level?: string
  /** Where lines go. @default standard output */
  readonly destination?: DestinationStream
}

/**
 * Makes the log. Callers pass constant words and public identifiers; redaction is the second line of defence, not the
 * first. Errors are reduced to their class, code and place: messages may quote what a stranger sent.
 */
export function createLog(options: LogOptions = {}): Logger {
  const settings = {
    level: options.level ?? 'info',
    base: null,
    redact: { paths: redactedPaths(), censor: '[hidden]' },
    serializers: { err: describeError, error: describeError, req: describeNothing, res: describeNothing },
  }
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination)
}

/** What may be told about an error: its class, its code and where it was thrown. */
export function describeError(error: unknown): {
  readonly name: string
  readonly code: string | undefined
  readonly at: string | undefined
} {
  if (!(error instanceof Error)) return { name: typeof error, code: undefined, at: undefined }
  const code: unknown = 'code' in error ? error.code : undefined
  const at = error.stack?.split('\n').find((line) => /^\s+at /.test(line))
  return { name: error.name, code: typeof code === 'string' ? code : undefined, at: at?.trim() }
}

/** Requests and responses have URLs and headers: nothing of them is logged by accident. */
function describeNothing(): string {
  return '[hidden]'
}

function redactedPaths(): string[] {
  const headers = secretHeaders.flatMap((name) => [`headers["${name}"]`, `*.headers["${name}"]`])
  const members = secretMembers.flatMap((name) => [name, `*.${name}`])
  return [...headers, ...members]
}
