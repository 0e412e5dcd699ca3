/** Files that hold secrets: owner-only from the first byte, never written over. */
import { closeSync, fchmodSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { CommandError, exitCodes } from './exit-codes.ts'

/** Modes of files: `secret` for its owner alone, `public` for everyone to read. */
const modes = { secret: 0o600, public: 0o644 } as const

/**
 * Writes a file that does not exist yet.
 * @throws CommandError failed when it exists; an error of the file system otherwise, with nothing left behind
 */
export function writeFresh(file: string, content: string | Uint8Array, kind: keyof typeof modes): void {
  const handle = openFresh(file, modes[kind])
  try {
    // The umask may have taken bits of the owner's own.
    fchmodSync(handle, modes[kind])
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at)
    fsyncSync(handle)
  } catch (error) {
    unlinkSync(file)
    throw error
  } finally {
    closeSync(handle)
  }
}

function openFresh(file: string, mode: number): number {
  try {
    return openSync(file, 'wx', mode)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new CommandError(
        exitCodes.failed,
        `${file} exists already and is not overwritten; move it away or choose another name`,
      )
    }
    throw error
  }
}
