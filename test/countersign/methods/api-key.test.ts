import { describe, expect, test } from 'vitest'
import { authorization } from '../../../packages/countersign/src/index.ts'
import { apiKey } from '../../../packages/countersign/src/methods/index.ts'
import type { Reason } from '../../../packages/countersign/src/core/reasons.ts'
import type { ApiKeyRow } from '../../../packages/countersign/src/core/records.ts'
import { converse, hello, noon, recognised, shown, token, type Exchange } from '../support/conversation.ts'
import { expectAcceptance, expectRefusal, knock, openGuard } from '../support/guard.ts'

const method = apiKey({ from: authorization('Bearer') })

const row = (facts: Partial<ApiKeyRow> = {}): ApiKeyRow => ({
  key: 'hashed' as ApiKeyRow['key'],
  id: 'key-1',
  name: 'robot',
  subject: 'r2',
  roles: ['machine'],
  scopes: ['connect'],
  issuedAtMs: noon - 5,
  expiresAtMs: Infinity,
  ...facts,
})

const found = (answer: ApiKeyRow | undefined): readonly Exchange[] => [
  [{ kind: 'hash', text: 'csk_1' }, 'hashed'],
  [{ kind: 'findApiKey', key: 'hashed' as ApiKeyRow['key'] }, answer],
]

describe('the API key method', () => {
  test('accepts a key that may connect', () => {
    expect(converse(method.judge(shown({ credential: token('csk_1') })), ...found(row()))).toMatchObject({
      kind: 'accept',
      principal: { id: 'r2', method: 'api_key', claims: { key: 'robot' } },
      grant: { apiKey: 'key-1', issuedAtMs: noon - 5 },
      untilMs: Infinity,
    })
  })

  test.each<[string, ApiKeyRow | undefined, Reason]>([
    ['nobody knows', undefined, 'invalid_credential'],
    ['has expired', row({ expiresAtMs: noon }), 'expired_credential'],
    ['lacks the scope', row({ scopes: ['issue'] }), 'forbidden'],
  ])('refuses a key that %s', (_what, answer, reason) => {
    expect(converse(method.judge(shown({ credential: token('csk_1') })), ...found(answer))).toMatchObject({
      kind: 'deny',
      reason,
    })
  })

  test('may ask for another scope', () => {
    const issuing = apiKey({ from: authorization('Bearer'), scope: 'issue' })
    expect(
      converse(issuing.judge(shown({ credential: token('csk_1') })), ...found(row({ scopes: ['issue'] }))),
    ).toMatchObject({ kind: 'accept' })
  })

  test('recognises keys by their prefix', () => {
    expect(recognised(method, { key: token('csk_1'), ticket: token('cst_1'), hello })).toEqual(['key'])
    expect(
      converse(
        method.judge(shown({ credential: hello })),
        [{ kind: 'hash', text: '' }, 'h'],
        [{ kind: 'findApiKey' }, undefined],
      ),
    ).toMatchObject({ kind: 'deny' })
  })

  test('is refused from the moment its key is revoked', async () => {
    const { guard } = openGuard({ accept: [method] })
    const { key, id } = await guard.issue.apiKey({ subject: 'r2', name: 'robot' })
    const { lease } = expectAcceptance(await knock(guard, { authorization: `Bearer ${key}` }), 'r2')
    await guard.revoke({ apiKey: id })
    expect(lease.ended).toBe(true)
    expectRefusal(await knock(guard, { authorization: `Bearer ${key}` }), 'invalid_credential')
  })
})
