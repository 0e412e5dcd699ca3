/** Every check, in the order of the catalogue. */
import type { Check } from './check.ts'
import { announcedSize } from './checks/announced-size.ts'
import { crossSite } from './checks/cross-site.ts'
import { deadline } from './checks/deadline.ts'
import { earlyMessage } from './checks/early-message.ts'
import { expiredToken } from './checks/expired-token.ts'
import { guessingLimit } from './checks/guessing-limit.ts'
import { identitySwap } from './checks/identity-swap.ts'
import { lockout } from './checks/lockout.ts'
import { logout } from './checks/logout.ts'
import { openSocket } from './checks/open-socket.ts'
import { otherEnds } from './checks/other-ends.ts'
import { redeemRace } from './checks/redeem-race.ts'
import { sessionFixation } from './checks/session-fixation.ts'
import { tokenForgery } from './checks/token-forgery.ts'
import { tokenReplay } from './checks/token-replay.ts'
import { userNames } from './checks/user-names.ts'
import { userTiming } from './checks/user-timing.ts'
import { weakChallenge } from './checks/weak-challenge.ts'
import { weakerMethod } from './checks/weaker-method.ts'

/** The catalogue. */
export const checks: readonly Check[] = [
  crossSite,
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
