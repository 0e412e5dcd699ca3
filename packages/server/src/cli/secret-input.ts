/** Secrets from the keyboard, without echo, or from standard input. Never from the command line, where others see them. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { Call } from './command.ts'
import { usageError } from './exit-codes.ts'

const maxSecretBytes = 8_192

/**
 * Reads a secret: from standard input with the given switch, else typed twice on the terminal.
 * @param what names it for people: `Password for alice`
 * @throws CommandError usage when there is neither, or the two differ
 */
export async function readSecret(call: Call, fromStdin: string, what: string): Promise<string> {
  if (call.flag(fromStdin)) return readLine(call)
  if (call.around.stdin.isTTY !== true) {
    throw usageError(`there is no terminal to ask on; give the secret by standard input with --${fromStdin}`)
  }
  const first = await ask(call, `${what}: `)
  const second = await ask(call, 'Once more: ')
  if (first !== second) throw usageError('the two were not the same; nothing was changed')
  return first
}

/** The first line of standard input, which is bounded. */
async function readLine(call: Call): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of call.around.stdin) {
    const part = Buffer.from(chunk)
    chunks.push(part)
    bytes += part.length
    if (bytes > maxSecretBytes) throw usageError(`standard input: more than ${maxSecretBytes} bytes are no secret`)
  }
  const line = Buffer.concat(chunks).toString('utf8').split(/\r?\n/)[0] ?? ''
  if (line === '') throw usageError('standard input: the first line is empty')
  return line
}

/** One line from the terminal; what is typed is shown nowhere. */
async function ask(call: Call, prompt: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: call.around.stdin, output: nowhere, terminal: true })
  call.around.stderr.write(prompt)
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('SIGINT', () => reject(usageError('given up; nothing was changed')))
      lines.once('close', () => reject(usageError('the input ended; nothing was changed')))
    })
  } finally {
    lines.close()
    call.around.stderr.write('\n')
  }
}
