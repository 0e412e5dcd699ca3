/** Every command, in the order of `--help`. What a command needs is loaded when it runs. */
import type { Command } from './command.ts'

/** A row of the table. */
export interface CommandRow {
  readonly name: string
  load(): Promise<Command>
}

/** The table. */
export const commands: readonly CommandRow[] = [
  { name: 'lab', load: async () => (await import('./lab.ts')).lab },
  { name: 'serve', load: async () => (await import('./serve.ts')).serve },
  { name: 'check', load: async () => (await import('./check.ts')).check },
  { name: 'audit', load: async () => (await import('./audit.ts')).audit },
  { name: 'user add', load: async () => (await import('./user.ts')).userAdd },
  { name: 'user list', load: async () => (await import('./user.ts')).userList },
  { name: 'user password', load: async () => (await import('./user.ts')).userPassword },
  { name: 'user scram', load: async () => (await import('./user-keys.ts')).userScram },
  { name: 'user ed25519 add', load: async () => (await import('./user-keys.ts')).userEd25519Add },
  { name: 'user ed25519 remove', load: async () => (await import('./user-keys.ts')).userEd25519Remove },
  { name: 'user disable', load: async () => (await import('./user.ts')).userDisable },
  { name: 'user enable', load: async () => (await import('./user.ts')).userEnable },
  { name: 'key create', load: async () => (await import('./key.ts')).keyCreate },
  { name: 'key list', load: async () => (await import('./key.ts')).keyList },
  { name: 'key revoke', load: async () => (await import('./key.ts')).keyRevoke },
  { name: 'revoke', load: async () => (await import('./revoke.ts')).revoke },
  { name: 'ticket mint', load: async () => (await import('./ticket.ts')).ticketMint },
  { name: 'cert ca', load: async () => (await import('./cert.ts')).certCa },
  { name: 'cert client', load: async () => (await import('./cert.ts')).certClient },
]

/** The row that a command line names, and the arguments behind the name. */
export function findCommand(
  args: readonly string[],
): { readonly row: CommandRow; readonly rest: readonly string[] } | undefined {
  for (const words of [3, 2, 1]) {
    const name = args.slice(0, words).join(' ')
    const row = commands.find((one) => one.name === name)
    if (row !== undefined) return { row, rest: args.slice(words) }
  }
  return undefined
}

/** Names that begin with this word: the commands of a group. */
export function groupOf(word: string): readonly CommandRow[] {
  return commands.filter(({ name }) => name.startsWith(`${word} `))
}
