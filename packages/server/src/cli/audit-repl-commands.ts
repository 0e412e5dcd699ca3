/** What can be said to `countersign audit --repl`. A line without a dot before it is a message. */
import { writeFileSync } from 'node:fs'
import { isJsonArray, isJsonObject, type Json } from 'countersign/wire'
import { Impossible, type Conversation } from '../audit/conversation.ts'
import type { Said } from '../audit/conversation-history.ts'
import { jsonOf } from '../audit/json-of.ts'
import type { IdentityName } from '../audit/presented.ts'
import type { Protocol } from '../audit/target.ts'
import { printableJson } from '../reports/printable.ts'
import { alignColumns } from './table.ts'

/** What a command works with. */
export interface ReplAround {
  readonly conversation: Conversation
  readonly protocol: Protocol
  readonly screen: {
    note(text: string): void
    lineOf(said: Said): string
    textOf(said: Said): string
  }
  /** @throws BudgetSpent when the conversation ends meanwhile */
  pause(ms: number): Promise<void>
}

/** What becomes of a line. */
type Done = 'quit' | undefined

interface ReplCommand {
  readonly words: string
  readonly text: string
  run(rest: string, around: ReplAround): Promise<Done> | Done
}

const maxWaitMs = 600_000

const commands: Readonly<Record<string, ReplCommand>> = {
  as: {
    words: 'low|high|anonymous',
    text: 'speak on another identity’s socket; it is opened unless it is open',
    async run(rest, { conversation }) {
      await conversation.become(identityOf(rest))
      return undefined
    },
  },
  send: {
    words: 'MESSAGE',
    text: 'a JSON object in the protocol’s own form, such as {"call":"…"} or {"query":"…"}; else text as it stands',
    async run(rest, { conversation }) {
      const value = jsonOf(rest)
      await conversation.say(isJsonObject(value) ? value : rest)
      return undefined
    },
  },
  event: {
    words: 'NAME [ARGS]',
    text: 'an event of Socket.IO; the arguments are JSON values, parted by spaces or in one list',
    async run(rest, { conversation, protocol }) {
      if (protocol !== 'socket.io') throw new Impossible(`the target speaks ${protocol}, which has no events`)
      const [, name = '', list = ''] = /^(\S+)\s*(.*)$/.exec(rest) ?? []
      if (name === '') throw new Impossible('.event NAME [ARGS]')
      await conversation.say({ event: name, args: [...argumentsOf(list)] })
      return undefined
    },
  },
  binary: {
    words: 'HEX',
    text: 'a binary message',
    async run(rest, { conversation }) {
      await conversation.send(bytesOf(rest))
      return undefined
    },
  },
  frame: {
    words: 'OPCODE [HEX]',
    text: 'one frame with any opcode from 0 to 15',
    async run(rest, { conversation }) {
      const [opcode = '', hex = ''] = rest.split(/\s+/)
      if (!/^(?:\d|1[0-5])$/.test(opcode))
        throw new Impossible('.frame OPCODE [HEX], the opcode from 0 to 15')
      await conversation.sendFrame(Number(opcode), bytesOf(hex))
      return undefined
    },
  },
  history: {
    words: '',
    text: 'what was said, with its numbers',
    run(_rest, { conversation, screen }) {
      for (const said of conversation.history.all) screen.note(screen.lineOf(said))
      return undefined
    },
  },
  replay: {
    words: 'N [as low|high|anonymous]',
    text: 'send message N again, on this socket or on another identity’s',
    async run(rest, { conversation }) {
      const [, number, who] = /^(\d{1,9})(?:\s+as\s+(\S+))?$/.exec(rest) ?? []
      if (number === undefined) throw new Impossible('.replay N [as low|high|anonymous]')
      await conversation.replay(Number(number), who === undefined ? undefined : identityOf(who))
      return undefined
    },
  },
  origin: {
    words: 'URL|none',
    text: 'the Origin of sockets that are opened from now on',
    run(rest, { conversation, screen }) {
      if (rest === '') throw new Impossible('.origin URL|none')
      conversation.setOrigin(rest === 'none' ? undefined : rest)
      screen.note('holds for the next socket: .reopen')
      return undefined
    },
  },
  reopen: {
    words: '',
    text: 'close this socket and open another',
    async run(_rest, { conversation }) {
      await conversation.reopen()
      return undefined
    },
  },
  close: {
    words: '',
    text: 'close this socket',
    async run(_rest, { conversation }) {
      await conversation.close()
      return undefined
    },
  },
  wait: {
    words: 'MS',
    text: 'wait before the next line, for scripts',
    async run(rest, around) {
      if (!/^\d{1,6}$/.test(rest) || Number(rest) > maxWaitMs)
        throw new Impossible(`.wait MS, at most ${maxWaitMs}`)
      await around.pause(Number(rest))
      return undefined
    },
  },
  save: {
    words: 'FILE',
    text: 'write what was said to a new file, as JSON without secrets',
    run(rest, around) {
      save(rest, around)
      return undefined
    },
  },
  help: {
    words: '',
    text: 'this list',
    run(_rest, { screen }) {
      screen.note('a line without a dot is sent as it stands; one that begins with two dots loses the first')
      for (const line of alignColumns(
        Object.entries(commands).map(([name, { words, text }]) => [`.${name} ${words}`.trim(), text]),
      ))
        screen.note(line)
      return undefined
    },
  },
  quit: { words: '', text: 'close every socket and leave', run: () => 'quit' },
}

/** Names of the commands, without their dot. */
export const replCommandNames: readonly string[] = Object.keys(commands)

/** Does what a line says. @throws Impossible, LoginFailed, BudgetSpent */
export async function runLine(line: string, around: ReplAround): Promise<Done> {
  const text = line.trim()
  if (text === '') return undefined
  if (!text.startsWith('.') || text.startsWith('..')) {
    await around.conversation.send(text.startsWith('..') ? text.slice(1) : line)
    return undefined
  }
  const [, name = '', rest = ''] = /^\.(\S*)\s*(.*)$/s.exec(text) ?? []
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) throw new Impossible(`.${name} is no command; .help lists them`)
  return command.run(rest.trim(), around)
}

function identityOf(text: string): IdentityName {
  if (text === 'low' || text === 'high' || text === 'anonymous') return text
  throw new Impossible('an identity is one of low, high, anonymous')
}

/** JSON values: one list, or several values with spaces between. */
function argumentsOf(text: string): readonly Json[] {
  const asList = text.startsWith('[') ? jsonOf(text) : undefined
  const list = isJsonArray(asList) ? asList : jsonOf(`[${text}]`)
  if (isJsonArray(list)) return list
  return text.split(/\s+/).map((part) => {
    const value = jsonOf(part)
    if (value === undefined) throw new Impossible('the arguments are no JSON')
    return value
  })
}

function bytesOf(hex: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex))
    throw new Impossible('bytes are written as pairs of hexadecimal digits')
  return Buffer.from(hex, 'hex')
}

function save(file: string, { conversation, screen }: ReplAround): void {
  if (file === '') throw new Impossible('.save FILE')
  const messages = conversation.history.all.map((said) => ({
    number: said.number,
    atMs: said.atMs,
    who: said.who,
    from: said.from,
    text: screen.textOf(said),
  }))
  try {
    writeFileSync(file, `${printableJson({ messages }, 2)}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    throw new Impossible(
      `${file}: ${error.code === 'EEXIST' ? 'there is such a file already' : String(error.code)}`,
    )
  }
  screen.note(`${messages.length} messages are in ${file}`)
}
