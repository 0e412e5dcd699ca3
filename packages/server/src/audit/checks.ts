/** Every check, in the order of the catalogue. */
import type { Check } from './check.ts'
import { announcedSize } from './checks/announced-size.ts'
import { cleartext } from './checks/cleartext.ts'
import { compressedSecrets } from './checks/compressed-secrets.ts'
import { compressionBomb } from './checks/compression-bomb.ts'
import { cookieFlags } from './checks/cookie-flags.ts'
import { crashOrigin } from './checks/crash-origin.ts'
import { crashProbes } from './checks/crash-probes.ts'
import { credentialInUrl } from './checks/credential-in-url.ts'
import { crossSite } from './checks/cross-site.ts'
import { crowd } from './checks/crowd.ts'
import { deadPeer } from './checks/dead-peer.ts'
import { deadline } from './checks/deadline.ts'
import { earlyMessage } from './checks/early-message.ts'
import { expiredToken } from './checks/expired-token.ts'
import { failedUpgrade } from './checks/failed-upgrade.ts'
import { foreignHost } from './checks/foreign-host.ts'
import { foreseeableHandshake } from './checks/foreseeable-handshake.ts'
import { fragmentFlood } from './checks/fragments.ts'
import { frameRules } from './checks/frame-rules.ts'
import { graphqlCost } from './checks/graphql-cost.ts'
import { guessingLimit } from './checks/guessing-limit.ts'
import { horizontal } from './checks/horizontal.ts'
import { identitySwap } from './checks/identity-swap.ts'
import { injectionMarker } from './checks/injection-marker.ts'
import { lockout } from './checks/lockout.ts'
import { loggedSecrets } from './checks/logged-secrets.ts'
import { logout } from './checks/logout.ts'
import { lostRight } from './checks/lost-right.ts'
import { malformedMessage } from './checks/malformed-message.ts'
import { messageRate } from './checks/message-rate.ts'
import { metaApi } from './checks/meta-api.ts'
import { openSocket } from './checks/open-socket.ts'
import { otherEnds } from './checks/other-ends.ts'
import { pageAdvertises } from './checks/page-advertises.ts'
import { pollingCors } from './checks/polling-cors.ts'
import { proxyHeaders } from './checks/proxy-headers.ts'
import { redeemRace } from './checks/redeem-race.ts'
import { selfDeclared } from './checks/self-declared.ts'
import { sessionFixation } from './checks/session-fixation.ts'
import { siblingRoute } from './checks/sibling-route.ts'
import { sidePlaces } from './checks/side-places.ts'
import { slowHead } from './checks/slow-head.ts'
import { subprotocolChoice } from './checks/subprotocol-choice.ts'
import { tlsQuality } from './checks/tls-quality.ts'
import { tokenForgery } from './checks/token-forgery.ts'
import { tokenReplay } from './checks/token-replay.ts'
import { userNames } from './checks/user-names.ts'
import { userTiming } from './checks/user-timing.ts'
import { verboseErrors } from './checks/verbose-errors.ts'
import { vertical } from './checks/vertical.ts'
import { weakChallenge } from './checks/weak-challenge.ts'
import { weakOrigin } from './checks/weak-origin.ts'
import { weakerMethod } from './checks/weaker-method.ts'

/** The catalogue. */
export const checks: readonly Check[] = [
  cleartext,
  pageAdvertises,
  tlsQuality,
  cookieFlags,
  credentialInUrl,
  pollingCors,
  crossSite,
  weakOrigin,
  crashOrigin,
  foreignHost,
  foreseeableHandshake,
  subprotocolChoice,
  siblingRoute,
  failedUpgrade,
  proxyHeaders,
  openSocket,
  earlyMessage,
  deadline,
  tokenReplay,
  redeemRace,
  expiredToken,
  tokenForgery,
  logout,
  otherEnds,
  sessionFixation,
  userNames,
  userTiming,
  guessingLimit,
  lockout,
  weakChallenge,
  weakerMethod,
  identitySwap,
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
