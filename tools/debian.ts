import { existsSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { run } from './processes.ts'

/** What the tests need beyond Node: each Debian package and a file that shows that it is there. */
const packages: Readonly<Record<string, string>> = {
  chromium: '/usr/bin/chromium',
  'firefox-esr': '/usr/bin/firefox-esr',
  'webkit2gtk-driver': '/usr/bin/WebKitWebDriver',
  'redis-server': '/usr/bin/redis-server',
  slowhttptest: '/usr/bin/slowhttptest',
  xvfb: '/usr/bin/Xvfb',
  'fonts-dejavu-core': '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
  'libnss3-tools': '/usr/bin/certutil',
  openssl: '/usr/bin/openssl',
  python3: '/usr/bin/python3',
  'python3-argon2': '/usr/lib/python3/dist-packages/argon2',
  'python3-autobahn': '/usr/lib/python3/dist-packages/autobahn',
  'python3-cbor2': '/usr/lib/python3/dist-packages/cbor2',
  'python3-msgpack': '/usr/lib/python3/dist-packages/msgpack',
  'python3-nacl': '/usr/lib/python3/dist-packages/nacl',
  'python3-passlib': '/usr/lib/python3/dist-packages/passlib',
  'python3-twisted': '/usr/lib/python3/dist-packages/twisted',
  'python3-websockets': '/usr/lib/python3/dist-packages/websockets',
}

/** The Debian packages that the tests need and that this machine lacks. */
export function missingPackages(): readonly string[] {
  return Object.entries(packages)
    .filter(([, file]) => !existsSync(file))
    .map(([name]) => name)
}

/**
 * Installs the missing packages where it may, after saying which. Does nothing when none is missing.
 *
 * @returns one line that says what to install, or `undefined` when everything is there.
 */
export function ensurePackages(): string | undefined {
  const missing = missingPackages()
  if (missing.length === 0) return undefined
  const apt = installer()
  if (apt !== undefined) {
    console.log(`Installing from Debian: ${missing.join(' ')}`)
    install(apt, missing)
  }
  const left = missingPackages()
  if (left.length === 0) return undefined
  return `The tests need Debian packages that are missing; run: apt-get install --no-install-recommends ${left.join(' ')}`
}

/** The command that installs, as this user may call it; `undefined` when it may not or there is none. */
function installer(): readonly string[] | undefined {
  if (process.env['COUNTERSIGN_APT'] === '0') return undefined
  if (spawnSync('apt-get', ['--version']).status !== 0) return undefined
  const settings = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300']
  if (process.getuid?.() === 0) return settings
  return spawnSync('sudo', ['-n', 'true']).status === 0 ? ['sudo', '-n', ...settings] : undefined
}

/** Package lists are refreshed first: on a fresh machine there are none, and old ones name files that are gone. */
function install(apt: readonly string[], names: readonly string[]): void {
  const [command = '', ...args] = apt
  run(command, [...args, 'update'])
  run(command, [...args, 'install', '-y', '--no-install-recommends', ...names])
}

if (import.meta.main) {
  const problem = ensurePackages()
  if (problem !== undefined) {
    console.error(problem)
    process.exitCode = 1
  }
}
