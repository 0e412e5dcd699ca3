import { copyFileSync, mkdirSync, readdirSync, utimesSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Copies every file of `source` that the compiler does not read (style sheets, pictures, pages) to the same place in `target`. */
export function copyAssets(source: string, target: string): void {
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.ts')) continue
    const from = join(entry.parentPath, entry.name)
    const to = join(target, relative(source, from))
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(from, to)
    const now = new Date()
    utimesSync(to, now, now)
  }
}
