/** The oracle of an audit, for another endpoint or protocol of the same target. */
import type { Scene } from './check.ts'
import { dialects } from './dialects/dialects.ts'
import { Oracle } from './oracle.ts'
import type { Endpoint, Protocol } from './target.ts'

/** An oracle that sees with the same eyes, elsewhere. */
export function oracleFor(
  { needs, endpoint, options, oracle }: Scene,
  protocol: Protocol,
  changes: Partial<Endpoint> = {},
): Oracle {
  const { whoami, private: patterns = [] } = options
  return new Oracle(
    { needs, endpoint: { ...endpoint, ...changes, protocol }, dialect: dialects[protocol] },
    { whoami, private: patterns, settleMs: oracle.settleMs },
  )
}
