/**
 * In the page: `auth_expiring` is answered by `hello`, and the challenge that follows by a signature, as at the start.
 * The guard of the socket does the rest; a server needs no line for it.
 */
export function keepOpen(
  socket: WebSocket,
  { authid, sign }: { readonly authid: string; readonly sign: (challenge: string) => Promise<string> },
): void {
  const say = (frame: object): void => socket.send(JSON.stringify(frame))
  socket.addEventListener('message', ({ data }) => {
    if (typeof data !== 'string' || !data.startsWith('{')) return
    // The wire protocol promises these members.
    const frame = JSON.parse(data) as {
      readonly type: string
      readonly extra: { readonly challenge: string }
    }
    if (frame.type === 'auth_expiring') say({ type: 'hello', authid, methods: ['wampcra'] })
    if (frame.type === 'challenge') {
      void sign(frame.extra.challenge).then((signature) => say({ type: 'authenticate', signature }))
    }
  })
}
