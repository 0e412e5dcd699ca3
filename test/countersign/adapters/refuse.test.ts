import { describe, expect, test } from 'vitest'
import { httpRefusal } from '../../../packages/countersign/src/adapters/http.ts'
import type { Refused } from '../../../packages/countersign/src/core/knock.ts'
import { createGuard, memory, query } from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'

const guardNamed = (name: string): ReturnType<typeof createGuard> =>
  createGuard({ records: memory(), name, accept: [ticket({ from: query('ticket') })] })

function refused(reason: Refused['reason'], retryAfterMs?: number): Refused {
  return { kind: 'refused', reason, retryAfterMs, tell: 'http', reply: 'bare' }
}

describe('the HTTP answer to a refusal', () => {
  test('is made once for a guard and a reason, and cannot be changed', () => {
    const guard = guardNamed('Chat')
    const answer = httpRefusal(guard, refused('overloaded'))
    expect(httpRefusal(guard, refused('overloaded'))).toBe(answer)
    expect(Object.isFrozen(answer) && Object.isFrozen(answer.headers)).toBe(true)
    expect(httpRefusal(guard, refused('wrong_host'))).not.toEqual(answer)
  })

  test('names the guard that refuses, not another one', () => {
    const [chat, news] = [guardNamed('Chat'), guardNamed('News')]
    const realms = [chat, news, chat].map(
      (guard) => httpRefusal(guard, refused('missing_credential')).headers['WWW-Authenticate'],
    )
    expect(realms).toEqual([expect.stringContaining('"Chat"'), expect.stringContaining('"News"'), realms[0]])
  })

  test('tells each caller its own time to wait', () => {
    const guard = guardNamed('Chat')
    const waits = [1, 2_001, undefined, 60_000].map(
      (ms) => httpRefusal(guard, refused('too_many_attempts', ms)).headers['Retry-After'],
    )
    expect(waits).toEqual(['1', '3', '5', '60'])
  })
})
