/** Every check, in the order of the catalogue. */
import type { Check } from './check.ts'
import { announcedSize } from './checks/announced-size.ts'
import { crossSite } from './checks/cross-site.ts'
import { deadline } from './checks/deadline.ts'
import { openSocket } from './checks/open-socket.ts'

/** The catalogue. */
export const checks: readonly Check[] = [crossSite, openSocket, deadline, announcedSize]
