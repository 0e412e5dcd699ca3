/** A file that holds a key: owner-only, made once, never half written. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { MisuseError } from '../core/errors.ts'

/** More than any number of keys needs; a file of this size is something else. */
const maxBytes = 65_536

/**
 * The text of a key file. Where there is none, `fresh()` is written to it first; of several processes that start at
 * once, one makes the file and all read it.
 * @throws MisuseError when the file is open to group or others, is no regular file, or is larger than 64 KiB
 */
export function readOrCreateKeyFile(file: string, fresh: () => string): string {
  return readKeyFile(file) ?? createKeyFile(file, fresh())
}

function readKeyFile(file: string): string | undefined {
  const handle = openIfPresent(file)
  if (handle === undefined) return undefined
  try {
    const { mode, size } = fstatSync(handle)
    if ((mode & 0o170000) !== 0o100000 || size > maxBytes) {
      throw new MisuseError('invalid_option', `sealing key: ${file} is no key file`)
    }
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const octal = (mode & 0o777).toString(8)
      throw new MisuseError(
        'invalid_option',
        `sealing key: ${file} is open to others (mode ${octal}): chmod 600 it`,
      )
    }
    return readFileSync(handle, 'utf8')
  } finally {
    closeSync(handle)
  }
}

/** Written aside and linked into place: the name never stands for a part of a key. */
function createKeyFile(file: string, text: string): string {
  const aside = `${file}.${randomBytes(6).toString('hex')}`
  const handle = openSync(aside, 'wx', 0o600)
  try {
    // The process's umask may have taken the owner's own bits.
    fchmodSync(handle, 0o600)
    writeSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  try {
    linkSync(aside, file)
    return text
  } catch (error) {
    // Another process was first: its key is the one.
    const winner = readKeyFile(file)
    if (winner === undefined) throw error
    return winner
  } finally {
    rmSync(aside, { force: true })
  }
}

/** Only absence is absence: a file that cannot be read must not be made anew beside it. */
function openIfPresent(file: string): number | undefined {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
