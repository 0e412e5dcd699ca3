/** Every check, in the order of the catalogue. */
import type { Check } from './check.ts'
import { announcedSize } from './checks/announced-size.ts'
import { crossSite } from './checks/cross-site.ts'
import { deadline } from './checks/deadline.ts'
import { horizontal } from './checks/horizontal.ts'
import { lostRight } from './checks/lost-right.ts'
import { metaApi } from './checks/meta-api.ts'
import { openSocket } from './checks/open-socket.ts'
import { selfDeclared } from './checks/self-declared.ts'
import { sidePlaces } from './checks/side-places.ts'
import { vertical } from './checks/vertical.ts'

/** The catalogue. */
export const checks: readonly Check[] = [
  crossSite,
  openSocket,
  deadline,
  vertical,
  horizontal,
  selfDeclared,
  sidePlaces,
  metaApi,
  lostRight,
  announcedSize,
]
