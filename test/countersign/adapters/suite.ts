/** What every adapter must do, whatever framework stands behind it: doors × outcomes, with real clients over loopback. */
import { describe } from 'vitest'
import { differences, type Capability } from './differences.ts'
import { doors } from './suite-doors.ts'
import { endings } from './suite-endings.ts'
import { messages } from './suite-policy.ts'
import { openSite, type Adapter, type Open } from './suite-site.ts'
import { bounds, firstMessages } from './suite-waiting.ts'

/** Runs the suite. What is declared to be lacking has no tests; the guide prints it with its reason. */
export function adapterSuite(adapter: Adapter): void {
  const lacks = differences[adapter.name]
  if (lacks === undefined) throw new Error(`no row of differences for ${adapter.name}`)
  const has = (capability: Capability): boolean => lacks[capability] === undefined
  const open: Open = (options) => openSite(adapter, options)
  const routes = has('paths of the application’s own')
  describe(`${adapter.name} behind a guard`, () => {
    doors(open, routes)
    endings(open)
    bounds(open)
    if (has('messages of the application’s own'))
      describe('under a policy', () => {
        messages(open)
      })
    if (has('credential in a first message'))
      describe('whose peer speaks first', () => {
        firstMessages(open, { routes, behind: has('messages right behind the credential') })
      })
  })
}
