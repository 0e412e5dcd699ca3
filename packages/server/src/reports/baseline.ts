/** Findings of an earlier run, so that the next one shows what is new. */
import { isJsonArray, isJsonObject } from 'countersign/wire'
import { jsonOf } from '../audit/json-of.ts'

/** What is read of a baseline at most, bytes. */
export const maxBaselineBytes = 8_388_608

/**
 * The fingerprints in a report that this program wrote, as JSON or as SARIF.
 *
 * @returns `undefined` for a text that is neither
 */
export function readBaseline(text: string): ReadonlySet<string> | undefined {
  const value = jsonOf(text, maxBaselineBytes)
  if (!isJsonObject(value)) return undefined
  const runs = value['runs']
  const lists = isJsonArray(runs)
    ? runs.map((run) => (isJsonObject(run) ? run['results'] : undefined))
    : [value['findings']]
  if (!lists.every((list) => isJsonArray(list))) return undefined
  const all = lists.flatMap((list) => (isJsonArray(list) ? list : []))
  return new Set(
    all.flatMap((one) => {
      if (!isJsonObject(one)) return []
      const partial = one['partialFingerprints']
      const fingerprint = isJsonObject(partial) ? partial['countersignAudit/v1'] : one['fingerprint']
      return typeof fingerprint === 'string' ? [fingerprint] : []
    }),
  )
}
