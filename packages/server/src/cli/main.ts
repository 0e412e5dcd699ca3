#!/usr/bin/env node
/** The command `countersign`. */
import { runCommand } from './run.ts'

// A reader that has seen enough (`countersign … | head`) is no failure of the command.
process.stdout.on('error', () => process.exit())

const { stdin, stdout, stderr, env } = process
process.exitCode = await runCommand(process.argv.slice(2), { stdin, stdout, stderr, env })
