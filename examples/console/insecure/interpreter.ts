/**
 * A pretend interpreter, as some consoles have a real one: it reads a line as statements between semicolons. It starts
 * nothing and reads nothing but the folder `sandbox`.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const sandbox = join(import.meta.dirname, '..', 'sandbox')

/** Text of every file in the sandbox, whoever it is for. */
const files: ReadonlyMap<string, string> = new Map(
  readdirSync(sandbox).map((name) => [name.replace(/\.txt$/, ''), readFileSync(join(sandbox, name), 'utf8')]),
)

/** Runs each statement of a line: `show welcome; show restarting`. */
export function interpret(line: string): readonly string[] {
  return line.split(';').flatMap((statement) => {
    const [verb, page = ''] = statement.trim().split(/\s+/)
    if (verb !== 'show') return [`${verb}: not understood`]
    return (files.get(page) ?? `${page}: no such page`).trimEnd().split('\n')
  })
}
