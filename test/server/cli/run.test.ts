import { describe, expect, it } from 'vitest'
import { commands } from '../../../packages/server/src/cli/commands.ts'
import { exitMeanings } from '../../../packages/server/src/cli/exit-codes.ts'
import { countersign } from './support/command.ts'

describe('help', () => {
  it('of the program fits one screen, begins with the lab, and lists every exit code', async () => {
    const { exit, stdout, stderr } = await countersign(['--help'])
    const lines = stdout.trimEnd().split('\n')
    expect([exit, stderr]).toEqual([0, ''])
    expect(lines.length).toBeLessThanOrEqual(24)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(lines.find((line) => line.startsWith('  '))).toMatch(/^ {2}lab /)
    for (const [code, meaning] of exitMeanings) expect(stdout).toContain(`${code}  ${meaning}`)
  })

  it('of the program names every command', async () => {
    const { stdout } = await countersign(['--help'])
    for (const { name } of commands) for (const word of name.split(' ')) expect(stdout).toContain(word)
  })

  it.each(commands.map(({ name }) => name))(
    'of %s tells its options, --json and --help among them',
    async (name) => {
      const { exit, stdout } = await countersign([...name.split(' '), '--help'])
      expect(exit).toBe(0)
      expect(stdout).toContain(`countersign ${name}`)
      expect(stdout).toMatch(/--json .*\n.*--help/)
    },
  )

  it('that nobody asked for goes to standard error and is a usage error', async () => {
    expect(await countersign([])).toMatchObject({
      exit: 2,
      stdout: '',
      stderr: expect.stringContaining('Exit codes'),
    })
    expect(await countersign(['user'])).toMatchObject({
      exit: 2,
      stdout: '',
      stderr: expect.stringContaining('user add NAME'),
    })
  })

  it('of a group lists its commands', async () => {
    const { exit, stdout } = await countersign(['cert', '--help'])
    expect(exit).toBe(0)
    expect(stdout).toContain('countersign cert ca')
    expect(stdout).toContain('countersign cert client')
  })
})

describe('the version', () => {
  it('is one line', async () => {
    expect(await countersign(['--version'])).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/),
    })
  })
})

describe('a wrong command line', () => {
  it.each([
    [['labb'], 'countersign: "labb" is no command, but lab is; countersign --help lists them'],
    [['xyzzy'], 'countersign: "xyzzy" is no command; countersign --help lists them'],
    [
      ['user', 'remove'],
      '"user remove" is no command; user has add, list, password, scram, ed25519 add, ed25519 remove, disable, enable',
    ],
    [['user', 'add'], 'NAME is missing; countersign user add --help shows how it is written'],
    [['user', 'list', 'extra'], 'extra: one word too many'],
    [['key', 'create', '--nmae', 'x'], "Unknown option '--nmae'"],
    [['key', 'create', '--subject', 'x'], '--name is missing'],
    [['check'], 'CONFIG is missing'],
    [['lab', '--port', 'eight'], '--port eight: a number from 1 to 65495'],
    [['lab', '--port', '65530'], '--port 65530: a number from 1 to 65495'],
    [['lab', '--engines', 'firefox'], '--engines goes with --report FILE'],
    [
      ['lab', '--report', 'm.md', '--engines', 'firefox,opera'],
      '--engines "opera": any of chromium,firefox,webkit',
    ],
    [['lab', '--log', 'loud'], '--log loud: one of debug, info, warn, error, silent'],
    [['cert', 'ca'], '--out is missing'],
    [
      ['ticket', 'mint', '--subject', 'a', '--audience', 'b', '--ttl', '31s'],
      '--ttl 31s: a ticket lives 30s at most',
    ],
  ])('%j is told what is wrong, with exit code 2', async (args, words) => {
    const { exit, stdout, stderr } = await countersign(args)
    expect(stderr).toContain(words)
    expect([exit, stdout]).toEqual([2, ''])
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('is told in JSON where JSON was asked for', async () => {
    const { exit, stderr } = await countersign(['user', 'add', '--json'])
    expect(exit).toBe(2)
    expect(JSON.parse(stderr)).toMatchObject({ exit: 2, error: expect.stringContaining('NAME is missing') })
  })

  it('is told in colour on a terminal, and the word stays', async () => {
    const { stderr } = await countersign(['labb'], { terminal: true })
    expect(stderr).toContain('\u001b[31mcountersign:\u001b[0m')
  })
})

describe('an identifier that begins with a dash', () => {
  it.each([
    [['key', 'revoke', '-abc', '--store', '/nowhere/at/all.db']],
    [['key', 'revoke', '--store', '/nowhere/at/all.db', '-abc']],
    [['key', 'revoke', '--store', '/nowhere/at/all.db', '--', '--abc']],
  ])('is a word, not an option: %j', async (args) => {
    expect(await countersign(args)).toMatchObject({
      exit: 4,
      stderr: expect.stringContaining('there is no such database'),
    })
  })

  it('is no word where an option waits for its value', async () => {
    expect(await countersign(['key', 'list', '--store', '-abc'])).toMatchObject({ exit: 2 })
  })

  it('leaves -h to ask for help', async () => {
    expect(await countersign(['key', 'revoke', '-h'])).toMatchObject({ exit: 0 })
  })
})
