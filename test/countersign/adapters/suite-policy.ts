/** The suite: messages of the application's own under a policy. */
import { expect, test } from 'vitest'
import { messagePolicy } from '../../../packages/countersign/src/index.ts'
import { until } from '../support/sockets.ts'
import { callAt, expectGreeted, pathOf, type Open } from './suite-site.ts'

const policy = messagePolicy({ actions: { say: { roles: ['member'] }, ban: { roles: ['admin'] } } })

/** What a policy lets through, and what it answers. */
export function messages(open: Open): void {
  test('delivers what the policy allows, answers the rest by an error frame, and lives on', async () => {
    const site = await open({ messages: policy })
    const caller = callAt(site, { path: await pathOf(site) })
    const visit = await expectGreeted(site, caller)
    const texts = [
      '{"type":"say","text":"one"}',
      '{"type":"ban"}',
      '{"type":"other"}',
      'no JSON',
      '{"type":"say","text":"two"}',
    ]
    for (const text of texts) caller.socket.send(text)
    await until(() => visit.heard.length === 2)
    expect(visit.heard.map((text) => JSON.parse(text) as unknown)).toEqual([
      { type: 'say', text: 'one' },
      { type: 'say', text: 'two' },
    ])
    await until(() => caller.frames.length === 4)
    const errors = caller.frames.slice(1).map((text) => (JSON.parse(text) as { type: string }).type)
    expect(new Set(errors)).toEqual(new Set(['error']))
    expect(visit.lease.ended).toBe(false)
  })
}
