/** What every adapter must do, whatever framework stands behind it: doors × outcomes, with real clients over loopback. */
import { describe } from 'vitest'
import { differences, type Capability } from './differences.ts'
import { doors } from './suite-doors.ts'
import { endings } from './suite-endings.ts'
import { messages } from './suite-policy.ts'
import { openSite, type Adapter, type Open } from './suite-site.ts'
import { bounds, firstMessages } from './suite-waiting.ts'

/** Runs the suite. A difference that is declared is not tested. */
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
    describe.skipIf(!has('messages of the application’s own'))('under a policy', () => {
      messages(open)
    })
    describe.skipIf(!has('credential in a first message'))('whose peer speaks first', () => {
      firstMessages(open, { routes, behind: has('messages right behind the credential') })
    })
  })
}
