import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { read, root } from './processes.ts'

/** What an installation of the packed library brought. */
export interface Installed {
  /** Names of all installed packages, the library among them. */
  readonly packages: readonly string[]
  /** Those with an install script. */
  readonly withInstallScript: readonly string[]
  /** Modules that the installed library can be imported by, each loaded by the Node that runs this. */
  readonly loaded: readonly string[]
}

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>
}

/**
 * Packs a package as it would be published.
 *
 * @param name the package's folder under `packages/`; it must have been built.
 * @returns the path of the tarball in `folder`.
 */
export function pack(name: string, folder: string): string {
  const out = read('npm', ['pack', '--json', '--pack-destination', folder], join(root, 'packages', name))
  // npm prints a list with one entry, or an object with one member, by its major version.
  const report = JSON.parse(out) as Readonly<Record<string, { readonly filename: string }>>
  const filename = Object.values(report)[0]?.filename
  if (filename === undefined) throw new Error(`npm pack said nothing useful about ${name}: ${out}`)
  return join(folder, filename)
}

/** Installs a tarball with npm into an empty folder, as its users do, and looks at what came. The folder is removed. */
export function installPacked(tarball: string, subpaths: readonly string[]): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-install-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}\n')
    read('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], folder)
    // The shape is npm's lock file, version 3.
    const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as LockFile
    const entries = Object.entries(lock.packages).filter(([path]) => path !== '')
    const nameOf = (path: string): string => path.replace(/^.*node_modules\//, '')
    return {
      packages: entries.map(([path]) => nameOf(path)),
      withInstallScript: entries
        .filter(([, entry]) => entry.hasInstallScript === true)
        .map(([path]) => nameOf(path)),
      loaded: subpaths.filter((subpath) => loads(subpath, folder)),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function loads(subpath: string, folder: string): boolean {
  read('node', ['--input-type=module', '--eval', `await import(${JSON.stringify(subpath)})`], folder)
  return true
}
