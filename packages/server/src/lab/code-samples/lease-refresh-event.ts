import type { Socket } from 'socket.io-client'

/**
 * In the page, at a socket whose `auth` said `expiring: true`: the warning is answered by the event `auth` with a fresh
 * ticket. The guard of the server does the rest; an application needs no line for it.
 */
export function keepOpen(socket: Socket, freshTicket: () => Promise<string>): void {
  socket.on('auth_expiring', () => {
    // The acknowledgement, `auth_ok`, says when the lease ends now; after `auth_invalid` it ends when it would have ended.
    void freshTicket().then((ticket) => socket.emitWithAck('auth', { ticket }))
  })
}
