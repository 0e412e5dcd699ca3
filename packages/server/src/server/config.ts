/** Reads a configuration: text to values, with every complaint at its line. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { place, schemaFindings, type Finding, type PlacedFinding, type Places } from './config-issues.ts'
import { readConfigText } from './config-text.ts'
import { ruleFindings } from './config-rules.ts'
import { configSchema } from './config-schema.ts'
import type { ConfigText } from './config-types.ts'
import { readWampGuards } from './config-wamp.ts'

/** A configuration that can be served, and what is weak in it. */
export interface Config extends ConfigText {
  /** The file that it came from. */
  readonly file: string
  /** A path of the configuration, as seen from its folder. */
  path(written: string): string
  /** Warnings only. */
  readonly findings: readonly PlacedFinding[]
}

/** What reading answers: a configuration, or what is wrong with it. */
export type ConfigReading =
  | { readonly kind: 'config'; readonly config: Config }
  | { readonly kind: 'wrong'; readonly findings: readonly PlacedFinding[] }

type Environment = Readonly<Record<string, string | undefined>>

/** More than any configuration needs; a file of this size is something else. */
const maxBytes = 1_048_576

/**
 * Reads a YAML or JSON file (JSON is YAML).
 * @param environment variables that secrets of a router may name, `${NAME}`
 * @throws an error of the file system when it cannot be read
 */
export function readConfig(file: string, environment: Environment = {}): ConfigReading {
  if (statSync(file).size > maxBytes)
    return wrong([{ level: 'error', path: [], message: 'is over 1 MiB: no configuration' }], {
      lineOf: () => 1,
    })
  return parseConfig(file, readFileSync(file, 'utf8'), environment)
}

/** As `readConfig`, of a text that stands for that file. */
export function parseConfig(file: string, text: string, environment: Environment = {}): ConfigReading {
  const reading = readConfigText(text)
  if (reading.kind === 'wrong') return reading
  const { values, places } = reading
  const parsed = configSchema.safeParse(values)
  if (!parsed.success) return wrong(schemaFindings(parsed.error), places)
  const folder = resolve(dirname(file))
  const read = readWampGuards(parsed.data, values, { folder, environment })
  if (read.findings.some(({ level }) => level === 'error')) return wrong(read.findings, places)
  const config = {
    ...parsed.data,
    guards: read.guards,
    file,
    path: (written: string): string => resolve(folder, written),
  }
  const findings = place([...read.findings, ...ruleFindings(config)], places)
  const errors = findings.filter(({ level }) => level === 'error')
  if (errors.length > 0) return { kind: 'wrong', findings }
  return { kind: 'config', config: { ...config, findings } }
}

function wrong(findings: readonly Finding[], places: Places): ConfigReading {
  return { kind: 'wrong', findings: place(findings, places) }
}

export { writeFinding, type PlacedFinding } from './config-issues.ts'
