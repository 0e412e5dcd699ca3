/** Every check, in the order of the catalogue. */
import type { Check } from './check.ts'
import { announcedSize } from './checks/announced-size.ts'
import { cleartext } from './checks/cleartext.ts'
import { cookieFlags } from './checks/cookie-flags.ts'
import { crashOrigin } from './checks/crash-origin.ts'
import { credentialInUrl } from './checks/credential-in-url.ts'
import { crossSite } from './checks/cross-site.ts'
import { deadline } from './checks/deadline.ts'
import { earlyMessage } from './checks/early-message.ts'
import { expiredToken } from './checks/expired-token.ts'
import { failedUpgrade } from './checks/failed-upgrade.ts'
import { foreignHost } from './checks/foreign-host.ts'
import { foreseeableHandshake } from './checks/foreseeable-handshake.ts'
import { guessingLimit } from './checks/guessing-limit.ts'
import { identitySwap } from './checks/identity-swap.ts'
import { lockout } from './checks/lockout.ts'
import { logout } from './checks/logout.ts'
import { openSocket } from './checks/open-socket.ts'
import { otherEnds } from './checks/other-ends.ts'
import { pageAdvertises } from './checks/page-advertises.ts'
import { pollingCors } from './checks/polling-cors.ts'
import { proxyHeaders } from './checks/proxy-headers.ts'
import { redeemRace } from './checks/redeem-race.ts'
import { sessionFixation } from './checks/session-fixation.ts'
import { siblingRoute } from './checks/sibling-route.ts'
import { subprotocolChoice } from './checks/subprotocol-choice.ts'
import { tlsQuality } from './checks/tls-quality.ts'
import { tokenForgery } from './checks/token-forgery.ts'
import { tokenReplay } from './checks/token-replay.ts'
import { userNames } from './checks/user-names.ts'
import { userTiming } from './checks/user-timing.ts'
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
  announcedSize,
]
