/** Messages that no client of the target sends: wrong in one way each. */
import { isJsonArray, isJsonObject, type Json } from 'countersign/wire'
import type { Sample } from './sample-messages.ts'

/** One wrong message. */
export interface Mutation {
  readonly name: string
  readonly text: string
}

const deep = 200
const maxMutations = 45

/** Bodies that stand for the whole message. */
const bodies: readonly (readonly [name: string, body: string])[] = [
  ['nothing', ''],
  ['a blank', ' '],
  ['null', 'null'],
  ['a boolean', 'true'],
  ['a number', '7'],
  ['a text', '"text"'],
  ['an empty array', '[]'],
  ['an empty object', '{}'],
  ['an opening brace', '{'],
  ['no JSON', 'NaN'],
  ['arrays 200 deep', '['.repeat(deep) + ']'.repeat(deep)],
  ['objects 200 deep', '{"a":'.repeat(deep) + '1' + '}'.repeat(deep)],
  ['a byte order mark', '\uFEFF{}'],
  ['a null byte', '{"type":"\\u0000"}'],
]

/** Values of one member more. */
const extras: readonly (readonly [name: string, value: string])[] = [
  ['an unknown member', '"unknown"'],
  ['1e309', '1e309'],
  ['an integer beyond all bounds', '9'.repeat(100)],
  ['half of a surrogate pair', String.raw`"\ud800"`],
  ['a text of 20,000 characters', JSON.stringify('x'.repeat(20_000))],
  ['an array of 2,000 numbers', JSON.stringify(Array.from({ length: 2_000 }, (_one, at) => at))],
]

/** Values in the place of each member. */
const wrong: readonly (readonly [name: string, value: Json])[] = [
  ['null', null],
  ['a number', -1],
  ['an array', ['a', 'b']],
  ['an object', { toString: 'a', length: -1 }],
]

/** About forty wrong forms of a message. */
export function mutationsOf({ prefix, value, text }: Sample): readonly Mutation[] {
  const said = (name: string, body: string): Mutation => ({ name, text: prefix + body })
  const own = text.slice(prefix.length)
  return [
    ...bodies.map(([name, body]) => said(name, body)),
    ...(/^4[25]/.test(prefix) ? [said('an event called error', '["error",{}]')] : []),
    said('half of a message', own.slice(0, own.length / 2)),
    said('something behind it', `${own}}`),
    ...extras.map(([name, extra]) => said(name, withExtra(value, `"audit":${extra}`, extra))),
    said('a member twice', withExtra(value, '"type":1,"type":{}', '1')),
    ...membersOf(value).flatMap(([name, without, withValue]) => [
      said(`without ${name}`, without),
      ...wrong.map(([what, other]) => said(`${what} as ${name}`, withValue(other))),
    ]),
  ].slice(0, maxMutations)
}

/** What would give every object of a careless server a member more. */
export function pollutionsOf({ prefix, value }: Sample, name: string, mark: string): readonly Mutation[] {
  const member = JSON.stringify({ [name]: mark })
  const proto = `"__proto__":${member}`
  const constructor = `"constructor":{"prototype":${member}}`
  return [
    ['__proto__', proto],
    ['constructor.prototype', constructor],
    ['__proto__ one level down', `"audit":{${proto}}`],
  ].map(([what = '', extra = '']) => ({
    name: what,
    text: prefix + withExtra(value, extra, `{${extra}}`),
  }))
}

/** JSON with one member more in its object: the outermost one, or the last in an array. */
function withExtra(value: Json | undefined, member: string, element: string): string {
  if (isJsonObject(value)) {
    const own = JSON.stringify(value).slice(1, -1)
    return `{${own}${own === '' ? '' : ','}${member}}`
  }
  if (!isJsonArray(value)) return `{${member}}`
  const last = value.at(-1)
  const before = value.slice(0, isJsonObject(last) ? -1 : undefined).map((one) => JSON.stringify(one))
  return `[${[...before, isJsonObject(last) ? withExtra(last, member, element) : element].join(',')}]`
}

type Member = readonly [name: string, without: string, withValue: (other: Json) => string]

/** The outermost members, four at most. */
function membersOf(value: Json | undefined): readonly Member[] {
  if (isJsonArray(value))
    return value
      .slice(0, 4)
      .map((_one, at) => [
        `element ${at}`,
        JSON.stringify(value.filter((_other, where) => where !== at)),
        (other) => JSON.stringify(value.with(at, other)),
      ])
  if (!isJsonObject(value)) return []
  return Object.keys(value)
    .slice(0, 4)
    .map((name) => [
      name,
      JSON.stringify(Object.fromEntries(Object.entries(value).filter(([one]) => one !== name))),
      (other) => JSON.stringify({ ...value, [name]: other }),
    ])
}
