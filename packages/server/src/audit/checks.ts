/** Every check, in the order of the catalogue. */
import type { Check } from './check.ts'
import { announcedSize } from './checks/announced-size.ts'
import { cleartext } from './checks/cleartext.ts'
import { cookieFlags } from './checks/cookie-flags.ts'
import { crashOrigin } from './checks/crash-origin.ts'
import { credentialInUrl } from './checks/credential-in-url.ts'
import { crossSite } from './checks/cross-site.ts'
import { deadline } from './checks/deadline.ts'
import { failedUpgrade } from './checks/failed-upgrade.ts'
import { foreignHost } from './checks/foreign-host.ts'
import { foreseeableHandshake } from './checks/foreseeable-handshake.ts'
import { openSocket } from './checks/open-socket.ts'
import { pageAdvertises } from './checks/page-advertises.ts'
import { pollingCors } from './checks/polling-cors.ts'
import { proxyHeaders } from './checks/proxy-headers.ts'
import { siblingRoute } from './checks/sibling-route.ts'
import { subprotocolChoice } from './checks/subprotocol-choice.ts'
import { tlsQuality } from './checks/tls-quality.ts'
import { weakOrigin } from './checks/weak-origin.ts'

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
  deadline,
  announcedSize,
]
