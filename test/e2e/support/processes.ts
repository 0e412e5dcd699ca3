import { readdirSync, readFileSync } from 'node:fs'

/** The living processes that have `text` in their environment or on their command line (Linux), each with its command. */
export function processesMentioning(text: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
      return `${command} ${read(`/proc/${pid}/environ`)}`.includes(text) ? [`${pid} ${command}`] : []
    })
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
