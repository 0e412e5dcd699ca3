/** The program's version, as its package says. */
import { readFileSync } from 'node:fs'

/** @returns `0.1.0`; empty when the package names none */
export function programVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : ''
  return typeof version === 'string' ? version : ''
}
