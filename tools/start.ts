import { join } from 'node:path'
import { build } from './build.ts'
import { root } from './processes.ts'

if (!build()) process.exit(1)

const program = join(root, 'packages/server/dist/cli/main.js')
const args = [program, 'lab', ...process.argv.slice(2)]

// The program takes this process' place, so that a signal meant for it reaches it and no one else.
if (process.execve !== undefined && process.platform !== 'win32') {
  process.execve(process.execPath, [process.execPath, ...args])
}
process.argv.splice(1, process.argv.length, ...args)
await import(program)
