/** The words of `--help`. */
import { commonOptions, type Command } from './command.ts'
import { exitMeanings } from './exit-codes.ts'
import { alignColumns } from './table.ts'

const firstThings: readonly (readonly [string, string])[] = [
  ['lab', 'see every way in, live in your browser'],
  ['serve CONFIG', 'log people in and guard sockets'],
  ['check CONFIG', 'explain a configuration, and what is weak in it'],
  ['audit TARGET', 'test an endpoint of your own, whatever it runs on'],
]

const otherThings: readonly (readonly [string, string])[] = [
  ['user add|list|password|disable|enable', 'people who can log in'],
  ['user scram|ed25519 add|remove', 'their keys for SCRAM and cryptosign'],
  ['key create|list|revoke', 'API keys for machines'],
  ['revoke WHAT VALUE', 'end open sockets'],
  ['ticket mint', 'one single-use ticket, to try a door'],
  ['cert ca|client', 'an authority and client certificates'],
]

/** Help of the whole program: fits one screen. */
export function generalHelp(): readonly string[] {
  return [
    'Countersign decides who may speak on a WebSocket, and keeps that decision true.',
    'countersign COMMAND [options]',
    '',
    ...indent(alignColumns(firstThings)),
    '',
    ...indent(alignColumns(otherThings)),
    '',
    'Every command has --help and --json. countersign --version tells the version.',
    'NO_COLOR is respected.  Secrets are shown once, by the command that makes them.',
    '',
    'Exit codes',
    ...indent(alignColumns(exitMeanings.map(([code, meaning]) => [String(code), meaning]))),
  ]
}

/** Help of one command. */
export function commandHelp(command: Command): readonly string[] {
  const options = { ...command.options, ...commonOptions }
  const rows = Object.entries(options).map(([name, { value, multiple, text }]): readonly [string, string] => [
    `--${name}${value === undefined ? '' : ` ${value}`}${multiple ? ' …' : ''}`,
    text,
  ])
  return [
    `countersign ${[command.name, ...command.words].join(' ')} [options]`,
    '',
    `${command.summary}.`,
    '',
    'Options',
    ...indent(alignColumns(rows)),
    ...(command.notes.length === 0 ? [] : ['', ...command.notes]),
  ]
}

/** Help of a group of commands, such as `user`. */
export function groupHelp(group: readonly Command[]): readonly string[] {
  const rows = group.map(({ name, words, summary }) => [['countersign', name, ...words].join(' '), summary])
  return [...indent(alignColumns(rows)), '', 'Each has --help.']
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`)
}
