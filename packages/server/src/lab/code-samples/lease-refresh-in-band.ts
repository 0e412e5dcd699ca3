/**
 * In the page: `auth_expiring` on the open socket is answered by a fresh token, in the form of the first frame. The
 * guard of the socket does the rest; a server needs no line for it.
 */
export function keepOpen(socket: WebSocket, freshTicket: () => Promise<string>): void {
  socket.addEventListener('message', ({ data }) => {
    if (typeof data !== 'string' || !data.startsWith('{"type":"auth_expiring"')) return
    // `auth_ok` says when the lease ends now; after `auth_invalid` it ends when it would have ended.
    void freshTicket().then((token) => socket.send(JSON.stringify({ type: 'auth', token })))
  })
}
