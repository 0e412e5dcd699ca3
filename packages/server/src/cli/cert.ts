/** `countersign cert`: a small authority and the client certificates that it signs. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority, openAuthority, type Authority, type KeyPairPem } from '../server/certificates.ts'
import { flag, option, type Call, type Command } from './command.ts'
import { daysOption } from './duration.ts'
import { CommandError, exitCodes, usageError, type ExitCode } from './exit-codes.ts'
import { writeFresh } from './secret-file.ts'
import { readSecret } from './secret-input.ts'
import { alignColumns } from './table.ts'

const authorityDays = '3650'
const clientDays = '90'
const missingOpenssl =
  '--p12 needs the program openssl (Debian: apt-get install openssl); the PEM files need nothing'

/** Makes an authority. */
export const certCa: Command = {
  name: 'cert ca',
  summary: 'Make an authority whose certificates a guard can trust',
  words: [],
  options: {
    out: option('DIR', 'folder for ca.pem and ca.key, made if it is missing (required)'),
    name: option('NAME', 'its common name [Countersign authority]'),
    days: option('N', `days until it expires [${authorityDays}]`),
  },
  notes: ['Whoever has ca.key can become anyone: keep it off the server. The server needs ca.pem alone.'],
  run: makeAuthority,
}

/** Makes a client certificate. */
export const certClient: Command = {
  name: 'cert client',
  summary: 'Make a client certificate, signed by your authority',
  words: [],
  options: {
    ca: option('DIR', 'folder with ca.pem and ca.key (required)'),
    name: option('NAME', 'its common name, which guards take for the subject (required)'),
    days: option('N', `days until it expires [${clientDays}]`),
    out: option('DIR', 'folder for NAME.pem and NAME.key [the authority’s]'),
    p12: flag('also make NAME.p12, which browsers import; its password is shown once'),
    'p12-password-stdin': flag('take the password of NAME.p12 from standard input'),
  },
  notes: ['Example: countersign cert client --ca pki --name alice --p12'],
  run: makeClient,
}

/** Checks everything before anything is made, so that a refusal leaves no half of a pair behind. */
async function makeAuthority(call: Call): Promise<ExitCode> {
  const folder = call.required('out')
  const name = checkName(call.text('name') ?? 'Countersign authority')
  const days = daysOption('--days', call.text('days') ?? authorityDays)
  const files = { certificate: join(folder, 'ca.pem'), key: join(folder, 'ca.key') }
  refuseExisting(Object.values(files))
  const authority = await createAuthority(name, days)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writePair(files, authority)
  answer(call, { ...files, name, days, fingerprint: authority.fingerprint })
  return exitCodes.ok
}

/** As `makeAuthority`; openssl is looked for first, since without it the command could only half succeed. */
async function makeClient(call: Call): Promise<ExitCode> {
  const folder = call.required('ca')
  const name = checkName(call.required('name'))
  const stem = fileStem(name)
  const days = daysOption('--days', call.text('days') ?? clientDays)
  const out = call.text('out') ?? folder
  const packs = call.flag('p12') || call.flag('p12-password-stdin')
  const files = { certificate: join(out, `${stem}.pem`), key: join(out, `${stem}.key`) }
  const p12 = packs ? join(out, `${stem}.p12`) : undefined
  refuseExisting([...Object.values(files), ...(p12 === undefined ? [] : [p12])])
  if (packs && !hasOpenssl()) throw new CommandError(exitCodes.failed, missingOpenssl)
  const authority = await loadAuthority(folder)
  const chosen = call.flag('p12-password-stdin')
    ? await readSecret(call, 'p12-password-stdin', `Password of ${stem}.p12`)
    : undefined
  const pair = await authority.issue({ use: 'client', commonName: name, days })
  mkdirSync(out, { recursive: true, mode: 0o700 })
  writePair(files, pair)
  const facts = { ...files, name, days, fingerprint: pair.fingerprint }
  if (p12 === undefined) {
    answer(call, facts)
    return exitCodes.ok
  }
  const password = chosen ?? randomBytes(18).toString('base64url')
  writeFresh(p12, packP12(files, { name, password, authority: join(folder, 'ca.pem') }), 'secret')
  answer(call, { ...facts, p12, ...(chosen === undefined ? { p12_password: password } : {}) })
  return exitCodes.ok
}

function answer(call: Call, facts: Readonly<Record<string, string | number>>): void {
  const rows = Object.entries(facts).map(([name, value]) => [name.replaceAll('_', ' '), String(value)])
  call.answer(facts, alignColumns(rows))
}

/** @throws CommandError failed for files that are none, an error of the file system for files that are not there */
async function loadAuthority(folder: string): Promise<Authority> {
  const certificate = readFileSync(join(folder, 'ca.pem'), 'utf8')
  const privateKey = readFileSync(join(folder, 'ca.key'), 'utf8')
  try {
    return await openAuthority({ certificate, privateKey })
  } catch {
    // The original message may quote the key.
    throw new CommandError(
      exitCodes.failed,
      `${folder}: ca.pem and ca.key are no authority made by "countersign cert ca"`,
    )
  }
}

function writePair(files: { readonly certificate: string; readonly key: string }, pair: KeyPairPem): void {
  writeFresh(files.key, pair.privateKey, 'secret')
  writeFresh(files.certificate, pair.certificate, 'public')
}

/** Asked for all files at once; `writeFresh` still refuses one that appears in between. */
function refuseExisting(files: readonly string[]): void {
  const taken = files.find((file) => existsSync(file))
  if (taken !== undefined) {
    throw new CommandError(
      exitCodes.failed,
      `${taken} exists already and is not overwritten; move it away or choose another folder`,
    )
  }
}

function checkName(name: string): string {
  if (name.length < 1 || name.length > 64 || /\p{Cc}/u.test(name)) {
    throw usageError('--name: 1 to 64 characters, none of them a control character')
  }
  return name
}

/** The name becomes a file's name, so it must not wander off to another folder. */
function fileStem(name: string): string {
  if (!/^[\p{L}\p{N}_@+-][\p{L}\p{N}_.@+ -]*$/u.test(name) || name === 'ca') {
    throw usageError('--name: letters, digits and _ . @ + - only, and not "ca": it names the files')
  }
  return name.replaceAll(' ', '-')
}

function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0
}

/** PKCS #12 bytes. The password goes through a pipe: command lines are seen by everyone on the machine. */
function packP12(
  files: { readonly certificate: string; readonly key: string },
  terms: { readonly name: string; readonly password: string; readonly authority: string },
): Uint8Array {
  const args = [
    '-in',
    files.certificate,
    '-inkey',
    files.key,
    '-certfile',
    terms.authority,
    '-name',
    terms.name,
  ]
  const { status, stdout } = spawnSync('openssl', ['pkcs12', '-export', ...args, '-passout', 'stdin'], {
    input: `${terms.password}\n`,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  if (status !== 0)
    throw new CommandError(exitCodes.failed, 'openssl did not make the PKCS #12 file; the PEM files are made')
  return stdout
}
