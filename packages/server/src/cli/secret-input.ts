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
  const [first, second] = await ask(call, [`${what}: `, 'Once more: '])
  if (first === undefined || second === undefined) throw usageError('given up; nothing was changed')
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
    if (bytes > maxSecretBytes)
      throw usageError(`standard input: more than ${maxSecretBytes} bytes are no secret`)
  }
  const line = Buffer.concat(chunks).toString('utf8').split(/\r?\n/)[0] ?? ''
  if (line === '') throw usageError('standard input: the first line is empty')
  return line
}

/** One line from the terminal for each prompt; what is typed is shown nowhere and kept in no history. */
async function ask(call: Call, prompts: readonly string[]): Promise<readonly string[]> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: call.around.stdin, output: nowhere, terminal: true, historySize: 0 })
  lines.on('SIGINT', () => lines.close())
  const typed = lines[Symbol.asyncIterator]()
  const answers: string[] = []
  try {
    for (const prompt of prompts) {
      call.around.stderr.write(prompt)
      const line = await typed.next()
      call.around.stderr.write('\n')
      if (line.done === true) break
      answers.push(line.value)
    }
    return answers
  } finally {
    lines.close()
  }
}
