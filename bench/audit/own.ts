/** What is ours and audited: each endpoint of the lab, and of a configuration that is served. */
import type { ChildProcess } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  AuditOptions,
  Canary,
  LoginOptions,
  TokenOptions,
} from '../../packages/server/src/audit/options.ts'
import type { Report } from '../../packages/server/src/audit/audit.ts'

/** An endpoint of ours, and what an audit of it is told. */
export interface OwnTarget {
  readonly name: string
  readonly url: string
  readonly options: AuditOptions
  /** How many checks run at least: pass, or something worth knowing. The others lack what the endpoint does not have. */
  readonly least: number
}

/** What is running. */
export interface OwnTargets {
  readonly targets: readonly OwnTarget[]
  stop(): Promise<void>
}

/** Ids of checks by how they ended. */
export type Ends = Readonly<
  Record<'pass' | 'fail' | 'info' | 'not tested' | 'inconclusive', readonly string[]>
>

/** How the checks of a report ended. */
export function endsOf({ results }: Report): Ends {
  const ending = (kind: keyof Ends): readonly string[] =>
    results.filter(({ outcome }) => outcome.kind === kind).map(({ check }) => check.id)
  return {
    pass: ending('pass'),
    fail: ending('fail'),
    info: ending('info'),
    'not tested': ending('not tested'),
    inconclusive: ending('inconclusive'),
  }
}

/** What is said comes back to whoever says it and is in. */
export const echo: Canary = {
  name: 'echo',
  send: 'audit {marker}',
  effect: '{marker}',
  allowedFor: 'low',
  seenBy: 'sender',
}

/** How doors and guards greet whoever they let in. */
export const greeting: AuditOptions = {
  protocol: 'plain',
  whoami: { expect: 'Hello (?<identity>[\\w-]+)!' },
  private: ['Hello [\\w-]+!'],
  canaries: [echo],
}

/** The form of our login site. */
export function formAt(site: string, username: string, password: string): NonNullable<LoginOptions['form']> {
  return { url: `${site}login`, fields: { username, password }, json: true }
}

/** How the site gives a token. */
export function issued(
  site: string,
  route: string,
  token: Omit<TokenOptions, 'url'> & { readonly body?: string },
): TokenOptions {
  return { body: '{}', ...token, url: `${site}countersign/${route}` }
}

/** Half a minute, as all that is shown once and in the open. */
export const ticketMs = 30_000

/** The secret of a login for challenges, asked for once. */
export function secretOfLogin(site: string): Pick<LoginOptions, 'steps' | 'wamp'> {
  return {
    steps: [
      {
        url: `${site}countersign/challenge-secret`,
        body: '{}',
        take: { authid: { member: 'authid' }, secret: { member: 'secret' } },
      },
    ],
    wamp: { authid: '{authid}', method: 'wampcra', secret: '{secret}' },
  }
}

/** Keeps what a program logs from now on in a file of its own. */
export function keepLog({ stderr }: ChildProcess): { readonly file: string; forget(): Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'audit-log-'))
  const file = join(folder, 'log')
  const log = createWriteStream(file, { mode: 0o600 })
  stderr?.pipe(log)
  return {
    file,
    async forget() {
      await new Promise<void>((resolve) => log.end(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
