import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { environment, root } from '../../tools/processes.ts'
import { blocksOf, emptyFolder, fileNameOf, pages, placeOf, writeBlocks } from '../support/docs.ts'
import type { Block } from '../support/docs.ts'

const blocks = pages().flatMap(blocksOf)
const marked = (language: string, mark: string): readonly (readonly [string, Block])[] =>
  blocks
    .filter((block) => block.language === language && block.mark === mark)
    .map((block) => [placeOf(block), block])

const folder = writeBlocks(blocks.filter(({ language, mark }) => language === 'ts' && mark === 'run'))
afterAll(() => folder.remove())

/** The command `countersign` as an installation has it, answered from the sources. */
const programs = join(folder.path, 'bin')
mkdirSync(programs)
const entry = join(root, 'packages', 'server', 'src', 'cli', 'main.ts')
const shim = `#!/bin/sh\nexec node --conditions=countersign-source '${entry}' "$@"\n`
writeFileSync(join(programs, 'countersign'), shim, { mode: 0o755 })

function withPrograms(): NodeJS.ProcessEnv {
  const env = environment()
  return { ...env, PATH: `${programs}${delimiter}${env['PATH'] ?? ''}` }
}

const readyWithinMs = 60_000

/** Runs a command to its end; its output is what a failed test shows. */
function execute(command: string, args: readonly string[], cwd: string): string {
  const result = spawnSync(command, args, { cwd, env: withPrograms(), encoding: 'utf8', timeout: 60_000 })
  expect(result.status, `${result.stdout}${result.stderr}`).toBe(0)
  return result.stdout
}

/** Starts the commands of a block and resolves with all output once a line says `ready`, or once they end. */
function serve(block: Block, cwd: string): Promise<string> {
  const child = spawn('sh', ['-e', '-c', block.text], { cwd, env: withPrograms(), detached: true })
  const stop = (): void =>
    void (child.pid !== undefined && child.exitCode === null && process.kill(-child.pid, 'SIGTERM'))
  return new Promise((resolve) => {
    let output = ''
    const timer = setTimeout(stop, readyWithinMs)
    const listen = (chunk: Buffer): void => {
      output += chunk.toString()
      if (/^ready /m.test(output)) stop()
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.once('close', () => {
      clearTimeout(timer)
      resolve(output)
    })
  })
}

describe('the pages', () => {
  test.each(marked('ts', 'run'))('have a program at %s that runs', (_place, block) => {
    execute('node', ['--conditions=countersign-source', fileNameOf(block)], folder.path)
  })

  test.each(marked('sh', 'run'))('have commands at %s that work', (_place, block) => {
    execute('sh', ['-e', '-c', block.text], emptyFolder(folder.path, block))
  })

  test.each(marked('sh', 'serve'))('have a server at %s that starts', async (_place, block) => {
    expect(await serve(block, emptyFolder(folder.path, block))).toMatch(/^ready /m)
  })

  test.each(marked('python', ''))('have Python at %s that compiles', (_place, block) => {
    const compile = 'import ast, sys; compile(sys.argv[1], "block", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)'
    execute('python3', ['-c', compile, block.text], folder.path)
  })

  test('are read', () => {
    expect(blocks.length).toBeGreaterThan(0)
  })
})
