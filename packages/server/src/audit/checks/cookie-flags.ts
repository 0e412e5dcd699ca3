/** T4: the session cookie may be read, stolen or sent where it should not. */
import type { Check, Finding } from '../check.ts'

/** Flags of the session cookie. */
export const cookieFlags: Check = {
  id: 'T4',
  title: 'The session cookie lacks a flag',
  cwe: [614, 1004, 1275],
  asvs: ['3.3.1', '3.3.2', '3.3.3', '3.3.4'],
  safety: 'P',
  needs: [
    {
      missing: 'a login form for the identity "low", whose cookies can be seen',
      met: ({ low }) => (low?.setCookies.length ?? 0) > 0,
    },
  ],
  why: 'A script reads a cookie without HttpOnly, cleartext carries one without Secure, foreign pages send one without SameSite, and a subdomain sets one without the prefix __Host-.',
  remedy: {
    text: 'Set-Cookie: __Host-session=…; Path=/; Secure; HttpOnly; SameSite=Strict (or Lax).',
    ws: "response.setHeader('Set-Cookie', `__Host-session=${id}; Path=/; Secure; HttpOnly; SameSite=Strict`)",
    socketIo:
      "io.engine.use(session({ name: '__Host-session', cookie: { secure: true, httpOnly: true, sameSite: 'strict' } }))",
    countersign:
      "serializeCookie('__Host-session', id, { secure: true, httpOnly: true, sameSite: 'Strict', path: '/' })",
  },
  run({ low, endpoint }) {
    const secure = endpoint.url.protocol === 'wss:'
    const lines = (low?.setCookies ?? []).filter((line) => isSession(line))
    if (lines.length === 0)
      return Promise.resolve({ kind: 'info', says: 'the login sets no cookie that looks like a session' })
    const findings = lines.flatMap((line) => faultsOf(line, secure))
    if (findings.length > 0) return Promise.resolve({ kind: 'fail', findings })
    return Promise.resolve({
      kind: 'pass',
      says: secure
        ? 'the session cookie has every flag'
        : 'the session cookie has every flag that plain http allows',
    })
  },
}

/** Cookies that end at once, or that are plainly something else, are none. */
function isSession(line: string): boolean {
  const [pair = ''] = line.split(';')
  const [name = '', ...value] = pair.split('=')
  if (/max-age=0|expires=thu, 01 jan 1970/i.test(line) || value.join('=').length < 16) return false
  return !/^(__Host-|__Secure-)?(xsrf|csrf|_csrf|lang|locale|theme|consent|device)/i.test(name.trim())
}

function faultsOf(line: string, secure: boolean): readonly Finding[] {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  const name = pair.split('=')[0] ?? ''
  const has = (attribute: RegExp): boolean => attributes.some((one) => attribute.test(one))
  const shown = [`Set-Cookie: ${name}=[secret]; ${attributes.join('; ')}`]
  const fault = (says: string, severity: Finding['severity']): Finding => ({
    says: `the cookie ${name} ${says}`,
    severity,
    confidence: 'high',
    subject: `${name}: ${says}`,
    exchanges: [shown.map((text) => ({ atMs: 0, from: 'target', text }))],
  })
  return [
    ...(has(/^httponly$/i) ? [] : [fault('can be read by scripts (no HttpOnly)', 'medium')]),
    ...(has(/^samesite=(strict|lax)$/i) ? [] : [fault('is sent by foreign pages (no SameSite)', 'medium')]),
    ...(!secure || has(/^secure$/i) ? [] : [fault('travels over cleartext (no Secure)', 'medium')]),
    ...(!secure || name.startsWith('__Host-')
      ? []
      : [fault('can be set by a subdomain (no __Host-)', 'low')]),
  ]
}
