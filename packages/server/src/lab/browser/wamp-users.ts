/** What the lab's WAMP router publishes: its realm, two users and the names that its rules speak of. Shared with the server. */

/**
 * Where the router listens on the site, and what it is called in `doors.json`. At `cookiePath` it remembers clients; at
 * D11 it listens as well, under the same path.
 */
export const wampPlace = { id: 'WAMP', path: '/ws', cookiePath: '/ws/cookie', realm: 'realm1' } as const

/** One shares its secret as it is; of the other's password the router keeps what PBKDF2 made of it. */
export const wampUsers = {
  plain: { authid: 'joe', secret: 'secret2' },
  salted: { authid: 'peter', secret: 'secret1' },
} as const

/** Signs with an Ed25519 key that everyone knows: the first example of RFC 8032 §7.1. */
export const wampSigner = {
  authid: 'ada',
  seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
} as const

/** Names below and beside what a role may use. */
export const wampNames = {
  /** Everything below is for whoever has logged in. */
  own: 'com.example.',
  /** The one topic that anonymous sessions may listen to. */
  open: 'com.example.notice',
  /** Nobody may publish here. */
  foreign: 'org.example.news',
} as const
