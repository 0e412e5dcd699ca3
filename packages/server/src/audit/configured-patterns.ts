/** The regular expressions of a configuration, each with the key under which its owner finds it. */
import type { Budget } from './budget.ts'
import type { Scene } from './check.ts'
import type { Canary, Resource, Tampering, Whoami } from './options.ts'
import { Pattern } from './pattern.ts'

/** What tells who one is. @throws SyntaxError */
export function expectOf(budget: Budget, whoami: Whoami | undefined): Pattern | undefined {
  return whoami === undefined ? undefined : new Pattern(budget, 'whoami.expect', whoami.expect)
}

/** Whom the answer to whoami names; `undefined` when it is none. */
export function identityIn(match: RegExpExecArray | null | undefined): string | undefined {
  return match?.groups?.['identity'] ?? match?.[1]
}

/** What tells private data. @throws SyntaxError */
export function privateOf(budget: Budget, sources: readonly string[]): readonly Pattern[] {
  return sources.map((source, at) => new Pattern(budget, `private[${at}]`, source))
}

/** What shows that a canary with this marker had its effect. @throws SyntaxError */
export function effectOf({ options, budget }: Scene, { name, effect }: Canary, marker: string): Pattern {
  const key = `${keyOf('canaries', options.canaries, name)}.effect`
  return new Pattern(budget, key, effect.replaceAll('{marker}', marker))
}

/** What only the owner of a resource may hear, when it was set off with this marker. @throws SyntaxError */
export function dataOf({ options, budget }: Scene, { name, data }: Resource, marker: string): Pattern {
  const key = `${keyOf('resources', options.resources, name)}.data`
  return new Pattern(budget, key, data.replaceAll('{marker}', marker))
}

/** What tells the id of a resource, and what shows that it was harmed. @throws SyntaxError */
export function tamperingOf(
  { options, budget }: Scene,
  { name }: Resource,
  { id, harm }: Tampering,
): { readonly id: Pattern | undefined; readonly harm: Pattern } {
  const key = `${keyOf('resources', options.resources, name)}.tamper`
  return {
    id: id === undefined ? undefined : new Pattern(budget, `${key}.id`, id),
    harm: new Pattern(budget, `${key}.harm`, harm),
  }
}

function keyOf(list: string, all: readonly { readonly name: string }[] | undefined, name: string): string {
  return `${list}[${all?.findIndex((one) => one.name === name) ?? ''}]`
}
