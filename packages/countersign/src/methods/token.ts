/** What the methods that judge opaque tokens share. */
import type { Credential } from '../core/credential.ts'

/**
 * The token of a credential. In Basic user information it is the user name (with an empty password), or the password
 * of the user `token`: browsers that cache by user name then never re-send an old one as a new one's password.
 */
export function tokenOf(credential: Credential): string | undefined {
  if (credential.kind === 'token') return credential.text
  if (credential.kind !== 'basic') return undefined
  if (credential.password === '') return credential.username
  return credential.username === 'token' ? credential.password : undefined
}

/**
 * Whether a credential is a token that begins with `prefix`. The prefix is public: this tells methods apart
 * and proves nothing.
 */
export function hasPrefix(credential: Credential, prefix: string): boolean {
  return tokenOf(credential)?.startsWith(prefix) === true
}
