/** Sockets in the file system: one that a dead process left behind is removed, anything else is left alone. */
import { lstatSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { ListenError } from '../serve-listener.ts'

/**
 * Makes room for a socket. @throws ListenError when somebody listens there (`EADDRINUSE`), or something else than a socket
 * has this name (`EEXIST`)
 */
export async function clearSocketFile(path: string): Promise<void> {
  const facts = lstatSync(path, { throwIfNoEntry: false })
  if (facts === undefined) return
  if (!facts.isSocket()) throw new ListenError('EEXIST', path)
  if (await answers(path)) throw new ListenError('EADDRINUSE', path)
  unlinkSync(path)
}

/** Whether a connection comes about; in doubt it does. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error: Error & { readonly code?: string }) => resolve(error.code !== 'ECONNREFUSED'))
  })
}
