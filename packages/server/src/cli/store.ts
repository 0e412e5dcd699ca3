/** The database that commands and a running server share. */
import { existsSync } from 'node:fs'
import { MisuseError, type Records } from 'countersign'
import { sqlite } from 'countersign/stores/sqlite'
import { option, type Call, type OptionSpec } from './command.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

/** Where the database is unless `--store` says otherwise. */
export const defaultStore = './countersign.db'

/** The option that every command with a database has. */
export const storeOption: Readonly<{ store: OptionSpec }> = {
  store: option('FILE', `database [${defaultStore}]`),
}

/**
 * Opens the database of `--store`, works on it and closes it again.
 * @param make whether a missing one is made, owner-only; commands that only read or change say so instead
 * @throws CommandError unreachable when it cannot be opened
 */
export async function withStore<T>(
  call: Call,
  make: 'make' | 'must exist',
  work: (records: Records) => Promise<T>,
): Promise<T> {
  const file = call.text('store') ?? defaultStore
  if (make === 'must exist' && !existsSync(file)) {
    throw new CommandError(
      exitCodes.unreachable,
      `${file}: there is no such database; name it with --store, or add a user first`,
    )
  }
  const records = openStore(file)
  try {
    return await work(records)
  } catch (error) {
    throw isDatabaseTrouble(error) ? cannotUse(file, error) : error
  } finally {
    await records.close()
  }
}

function openStore(file: string): Records {
  try {
    return sqlite(file)
  } catch (error) {
    throw cannotUse(file, error)
  }
}

function cannotUse(file: string, error: unknown): CommandError {
  const why = error instanceof Error ? (error.message.split('\n')[0] ?? error.name) : 'it cannot be opened'
  return new CommandError(
    exitCodes.unreachable,
    `${file}: ${why}; is it a Countersign database, and may you write to it and its folder?`,
  )
}

/** An outage of the store, or an error of SQLite itself. Misuse is the caller's own. */
function isDatabaseTrouble(error: unknown): boolean {
  if (error instanceof MisuseError || !(error instanceof Error)) return false
  return error.name === 'OutageError' || ('code' in error && error.code === 'ERR_SQLITE_ERROR')
}
