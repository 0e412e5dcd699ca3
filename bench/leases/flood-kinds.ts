/** Strangers by what they send. */
import { door, type ProgramSite } from '../rig/program-site.ts'
import { handshakeRequest } from '../rig/requests.ts'

/** One kind of stranger. */
export interface Kind {
  readonly name: string
  /** What it sends, once; then it is silent. */
  request(site: ProgramSite): Buffer
}

/** All kinds: a stranger that costs the server something else is a row here. */
export const kinds: readonly Kind[] = [
  {
    name: 'silent at the first-message door',
    request: ({ host, origin }) => handshakeRequest({ target: door.path, host, origin }),
  },
  {
    name: 'wrong ticket',
    request: ({ host, origin }) =>
      handshakeRequest({ target: `${door.path}?ticket=cst_${'A'.repeat(43)}`, host, origin }),
  },
  {
    name: 'foreign Origin',
    request: ({ host }) => handshakeRequest({ target: door.path, host, origin: 'https://evil.example.net' }),
  },
  { name: 'bare TCP, nothing sent', request: () => Buffer.alloc(0) },
]
