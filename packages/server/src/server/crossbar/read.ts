/**
 * Reads a node configuration of Crossbar.io: a text becomes a value that a router can be built from, or a list of
 * what is wrong with it. Nothing is opened and nothing else is read.
 */
import { dirname, resolve } from 'node:path'
import { place, type PlacedFinding } from '../config-issues.ts'
import type { CrossbarNode } from './node.ts'
import type { Reading } from './reader.ts'
import { readText } from './text.ts'
import { nodeOf } from './worker.ts'

/** A complaint: its place (`workers[0].transports[1].paths.ws.auth.wampcra.users.peter.keylen`), line and words. */
export type ConfigIssue = PlacedFinding

/** What reading answers. Print the warnings in either case, with `writeFinding`. */
export type CrossbarReading =
  | { readonly kind: 'ok'; readonly node: CrossbarNode; readonly warnings: readonly ConfigIssue[] }
  | {
      readonly kind: 'invalid'
      /** At least one. */
      readonly issues: readonly ConfigIssue[]
      readonly warnings: readonly ConfigIssue[]
    }

/** What a text alone does not say. */
export interface CrossbarReadOptions {
  /** The file that the text came from: its folder is where relative file names start, its name tells JSON from YAML. */
  readonly path: string
  /** Variables that the configuration may name: `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Reads a configuration. The node of `ok` is frozen and holds secrets in clear; issues hold none.
 * It never throws, whatever the text is.
 */
export function readCrossbarConfig(text: string, options: CrossbarReadOptions): CrossbarReading {
  const read = readText(text, options.path)
  if (read.kind === 'unreadable') {
    return { kind: 'invalid', issues: place(read.findings, read.places), warnings: [] }
  }
  const reading: Reading = {
    folder: resolve(dirname(options.path)),
    environment: options.environment,
    known: undefined,
    findings: [],
  }
  const node = nodeOf({ reading, path: [], value: read.values })
  const findings = place(reading.findings, read.places)
  const issues = findings.filter(({ level }) => level === 'error')
  const warnings = findings.filter(({ level }) => level === 'warning')
  return issues.length > 0
    ? { kind: 'invalid', issues, warnings }
    : { kind: 'ok', node: frozen(node), warnings }
}

/** The same value, which nobody can change any more. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) frozen(inner)
  return value
}

export { writeFinding } from '../config-issues.ts'
export type * from './node.ts'
export { maxConfigBytes } from './text.ts'
export { isCrossbarConfig } from './worker.ts'
