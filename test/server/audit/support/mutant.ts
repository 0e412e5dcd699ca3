/** A check with one change in its source, loaded beside the original. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Check } from '../../../../packages/server/src/audit/check.ts'
import type { Fixture, Mutant } from './fixture.ts'

const folder = new URL('../../../../packages/server/src/audit/checks/', import.meta.url)

/** Loads a mutant. @throws Error when the source has changed so that the mutant does not apply any more */
export async function loadMutant({ file, name }: Fixture, { find, replace }: Mutant): Promise<Check> {
  const source = readFileSync(new URL(`${file}.ts`, folder), 'utf8')
  const times = source.split(find).length - 1
  if (times !== 1) throw new Error(`${file}.ts has ${times} times: ${find}`)
  const mutated = source
    .replace(find, () => replace)
    .replaceAll(/(from ')(\.[^']+)(')/g, (_all, from: string, path: string, end: string) => {
      return `${from}${new URL(path, folder).pathname}${end}`
    })
  const place = mkdtempSync(join(tmpdir(), 'countersign-mutant-'))
  try {
    const path = join(place, `${file}.ts`)
    writeFileSync(path, mutated)
    const loaded: unknown = await import(/* @vite-ignore */ pathToFileURL(path).href)
    // The export has the name that the fixture says; anything else fails at the first use.
    return (loaded as Record<string, Check>)[name] as Check
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
