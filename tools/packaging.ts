import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from './build.ts'
import { installPacked, pack } from './packed-library.ts'
import { run } from './processes.ts'

/** What every package with public names is held against; each entry is a complaint. */
function judgeNames(tarball: string): readonly string[] {
  return [
    ...(run('publint', ['run', '--strict', '--pack=false', tarball]) === 0 ? [] : ['publint complains']),
    ...(run('attw', [tarball, '--profile', 'esm-only']) === 0 ? [] : ['attw complains']),
  ]
}

/** Holds the packed library against what its users were promised; each entry is a complaint. */
function judge(tarball: string): readonly string[] {
  const { packages, withInstallScript } = installPacked(tarball, [])
  console.log(`installs ${String(packages.length)} packages: ${packages.join(' ')}`)
  return [
    ...(packages.length > 10 ? ['the library installs more than 10 packages'] : []),
    ...withInstallScript.map((name) => `${name} has an install script`),
    ...judgeNames(tarball),
  ]
}

if (!build()) process.exit(1)
const folder = mkdtempSync(join(tmpdir(), 'countersign-pack-'))
try {
  const complaints = [
    ...judge(pack('countersign', folder)),
    ...judgeNames(pack('server', folder)).map((one) => `@countersign/server: ${one}`),
  ]
  for (const complaint of complaints) console.error(complaint)
  process.exitCode = complaints.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
