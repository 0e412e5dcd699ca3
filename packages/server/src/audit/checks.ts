/** Every check, in the order of the catalogue. */
import type { Check } from './check.ts'
import { announcedSize } from './checks/announced-size.ts'
import { crossSite } from './checks/cross-site.ts'
import { deadline } from './checks/deadline.ts'
import { expiredToken } from './checks/expired-token.ts'
import { logout } from './checks/logout.ts'
import { openSocket } from './checks/open-socket.ts'
import { otherEnds } from './checks/other-ends.ts'
import { redeemRace } from './checks/redeem-race.ts'
import { tokenForgery } from './checks/token-forgery.ts'
import { tokenReplay } from './checks/token-replay.ts'

/** The catalogue. */
export const checks: readonly Check[] = [
  crossSite,
  openSocket,
  deadline,
  tokenReplay,
  redeemRace,
  expiredToken,
  tokenForgery,
  logout,
  otherEnds,
  announcedSize,
]
