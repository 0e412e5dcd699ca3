import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Belongings } from './belongings.ts'
import type { ProgramEnv } from './program.ts'
import { BrowserError, type ClientCertificate } from './types.ts'

const run = promisify(execFile)
const toolTimeoutMs = 15_000
/** The one place where Chromium looks for managed policies on Linux. */
const policyFolder = '/etc/chromium/policies/managed'
const policyPrefix = 'countersign-'

/** What a browser may know of this process's environment: a secret kept there is none of its business. */
const inherited = ['PATH', 'LANG', 'TZ', 'LD_LIBRARY_PATH', 'FONTCONFIG_PATH', 'FONTCONFIG_FILE'] as const

/** A home that nobody lived in before. */
export interface Profile {
  readonly folder: string
  /** The whole environment of the browser: HOME and every cache and temporary folder lie inside `folder`. */
  readonly env: ProgramEnv & { readonly XDG_CONFIG_HOME: string }
}

/** Makes an empty profile folder, readable by its owner only; `belongings` removes it. */
export async function createProfile(belongings: Belongings): Promise<Profile> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-browser-'))
  const removal = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 } as const
  belongings.keep({
    end: () => rm(folder, removal).catch(ignore),
    endNow: () => attempt(() => rmSync(folder, removal)),
  })
  const inside = (name: string): string => join(folder, name)
  const env: Record<string, string> & { HOME: string; XDG_CONFIG_HOME: string } = {
    LANG: 'C.UTF-8',
    HOME: folder,
    TMPDIR: inside('tmp'),
    XDG_CONFIG_HOME: inside('config'),
    XDG_CACHE_HOME: inside('cache'),
    XDG_DATA_HOME: inside('data'),
    XDG_RUNTIME_DIR: inside('run'),
  }
  for (const name of ['tmp', 'run']) await mkdir(inside(name), { mode: 0o700 })
  for (const name of inherited) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  return { folder, env }
}

/** What goes into a certificate database. */
export interface Trust {
  /** PEM files of certificate authorities. */
  readonly trust: readonly string[]
  readonly clientCertificate: ClientCertificate | undefined
}

/**
 * Makes the NSS database that Chromium and Firefox read certificates from; does nothing when there is nothing to put in.
 *
 * @throws BrowserError `missing` without certutil or pk12util, `launch` when they refuse a file
 */
export async function fillCertificateDatabase(
  folder: string,
  { trust, clientCertificate }: Trust,
): Promise<void> {
  if (trust.length === 0 && clientCertificate === undefined) return
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const database = `sql:${folder}`
  await runTool('certutil', ['-N', '-d', database, '--empty-password'])
  for (const [index, file] of trust.entries()) {
    await runTool('certutil', [
      '-A',
      '-d',
      database,
      '-n',
      `authority-${String(index)}`,
      '-t',
      'C,,',
      '-i',
      file,
    ])
  }
  if (clientCertificate === undefined) return
  // By file: a command line can be read by every user of the machine.
  const passwordFile = join(folder, 'p12-password')
  await writeFile(passwordFile, clientCertificate.password, { mode: 0o600 })
  try {
    await runTool('pk12util', ['-i', clientCertificate.p12File, '-d', database, '-w', passwordFile, '-K', ''])
  } finally {
    await rm(passwordFile, { force: true })
  }
}

/** Runs one of NSS's tools; what it says of a refused file is passed on. */
async function runTool(tool: string, args: readonly string[]): Promise<void> {
  try {
    await run(tool, args, { timeout: toolTimeoutMs })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new BrowserError('missing', `${tool} is not installed (Debian: libnss3-tools)`, { cause: error })
    }
    const told = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
    throw new BrowserError('launch', `${tool} failed: ${told}`)
  }
}

/**
 * Lets Chromium show its client certificate to `hosts` without asking, for as long as `belongings` live. The file is
 * machine-wide, and of two such files Chromium heeds one: launch one certificate-bearing Chromium at a time.
 *
 * @throws BrowserError `unsupported` when this user may not write there
 */
export function allowClientCertificate(hosts: readonly string[], belongings: Belongings): void {
  removeStalePolicies()
  const file = join(policyFolder, `${policyPrefix}${String(process.pid)}-${randomUUID()}.json`)
  const remove = (): void => {
    attempt(() => rmSync(file, { force: true }))
    removeEmptyFolders()
  }
  belongings.keep({ end: () => Promise.resolve(remove()), endNow: remove })
  // A `wss:` pattern matches nothing: the setting is looked up by the https origin.
  const patterns = hosts.map((host) => JSON.stringify({ pattern: `https://${host}`, filter: {} }))
  try {
    mkdirSync(policyFolder, { recursive: true })
    writeFileSync(file, JSON.stringify({ AutoSelectCertificateForUrls: patterns }), { mode: 0o644 })
  } catch (cause) {
    throw new BrowserError(
      'unsupported',
      `a client certificate in Chromium takes write access to ${policyFolder}`,
      {
        cause,
      },
    )
  }
}

/** Removes the policy files of processes that were killed before they could. */
function removeStalePolicies(): void {
  attempt(() => {
    for (const name of readdirSync(policyFolder)) {
      const owner = /^countersign-(\d+)-[\w-]+\.json$/.exec(name)?.[1]
      if (owner !== undefined && !isRunning(Number(owner))) rmSync(join(policyFolder, name), { force: true })
    }
  })
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** `rmdir` refuses a folder that somebody else put a policy into, which is the wish. */
function removeEmptyFolders(): void {
  attempt(() => {
    rmdirSync(policyFolder)
    rmdirSync(join(policyFolder, '..'))
  })
}

function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // Tidying up must not hide why it became necessary.
  }
}

function ignore(): void {
  // As in `attempt`.
}
