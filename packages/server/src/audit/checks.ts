/** Every check, in the order of the catalogue. */
import type { Check } from './check.ts'
import { announcedSize } from './checks/announced-size.ts'
import { compressedSecrets } from './checks/compressed-secrets.ts'
import { compressionBomb } from './checks/compression-bomb.ts'
import { crashProbes } from './checks/crash-probes.ts'
import { crossSite } from './checks/cross-site.ts'
import { crowd } from './checks/crowd.ts'
import { deadPeer } from './checks/dead-peer.ts'
import { deadline } from './checks/deadline.ts'
import { fragmentFlood } from './checks/fragments.ts'
import { frameRules } from './checks/frame-rules.ts'
import { graphqlCost } from './checks/graphql-cost.ts'
import { horizontal } from './checks/horizontal.ts'
import { injectionMarker } from './checks/injection-marker.ts'
import { loggedSecrets } from './checks/logged-secrets.ts'
import { lostRight } from './checks/lost-right.ts'
import { malformedMessage } from './checks/malformed-message.ts'
import { messageRate } from './checks/message-rate.ts'
import { metaApi } from './checks/meta-api.ts'
import { openSocket } from './checks/open-socket.ts'
import { selfDeclared } from './checks/self-declared.ts'
import { sidePlaces } from './checks/side-places.ts'
import { slowHead } from './checks/slow-head.ts'
import { verboseErrors } from './checks/verbose-errors.ts'
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
  malformedMessage,
  frameRules,
  announcedSize,
  fragmentFlood,
  compressionBomb,
  compressedSecrets,
  messageRate,
  crowd,
  slowHead,
  deadPeer,
  verboseErrors,
  crashProbes,
  graphqlCost,
  injectionMarker,
  loggedSecrets,
]
