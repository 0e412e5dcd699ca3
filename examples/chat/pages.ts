/** The two pages as text. Whatever comes from outside is escaped; what others wrote never passes here at all. */
import type { Principal, Reason } from 'countersign'
import { accounts } from './accounts.ts'

/** Headers of every answer: nothing inline, nothing from elsewhere, and the position asked for by this page alone. */
export const siteHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'geolocation=(self), camera=(), microphone=()',
  'cache-control': 'no-store',
}

/** What the twin shows on every page. */
const banner = `<p class="banner" role="note"><strong>Insecure twin.</strong>
  This copy has holes that were left in it on purpose. Type nothing here that matters.</p>`

/** Why a login failed, in one sentence. */
const failures: Partial<Readonly<Record<Reason, string>>> = {
  invalid_credential: 'That name and password do not belong together.',
  too_many_attempts: 'Too many tries. Wait a little before the next one.',
  overloaded: 'The server is busy. Try again in a few seconds.',
  forbidden_origin: 'This form was sent from another site.',
  insecure_transport: 'Passwords do not travel in clear beyond this machine.',
}

/** How a page differs in the twin. */
export interface Dress {
  readonly insecure?: boolean
}

/** The login. */
export function loginPage(failure?: Reason | { readonly words: string }, { insecure }: Dress = {}): string {
  const words =
    typeof failure === 'object' ? failure.words : failure && (failures[failure] ?? 'That did not work.')
  return page({
    title: 'Log in · Map chat',
    insecure,
    module: 'login.mjs',
    body: `<main class="entry">
  <header class="stack-small">
    <p class="brand">Map chat</p>
    <p class="muted">Say something, and see where in the world it was said.</p>
  </header>
  <section class="card stack" aria-labelledby="title">
    <h1 id="title">Log in</h1>
    <form method="post" action="/login" class="stack" id="login">
      <div class="field"><label for="nickname">Nickname</label>
        <input class="input" id="nickname" name="nickname" required maxlength="64" autocomplete="username"
          autocapitalize="none" spellcheck="false" aria-describedby="failure" aria-invalid="${String(words !== undefined)}"></div>
      <div class="field"><label for="password">Password</label>
        <input class="input" id="password" name="password" type="password" required maxlength="256"
          autocomplete="current-password" aria-describedby="failure" aria-invalid="${String(words !== undefined)}"></div>
      <p id="failure" class="failure" role="alert">${escape(words ?? '')}</p>
      <button class="button button-primary wide" type="submit">Log in</button>
    </form>
  </section>
  <section class="card stack" aria-labelledby="demo">
    <h2 id="demo">Demonstration accounts</h2>
    <p class="muted small">Their passwords are public. A button fills the form; you still log in yourself.</p>
    <ul class="demo">${accounts.map(demoButton).join('')}</ul>
  </section>
</main>`,
  })
}

function demoButton({ nickname, password, roles }: (typeof accounts)[number]): string {
  return `<li><button class="button demo-button" type="button" data-nickname="${escape(nickname)}"
    data-password="${escape(password)}"><span><strong>${escape(nickname)}</strong>
    <span class="muted">${escape(roles.join(', '))}</span></span> <code>${escape(password)}</code></button></li>`
}

/** The chat, for someone who is logged in. */
export function chatPage({ id, roles }: Pick<Principal, 'id' | 'roles'>, { insecure }: Dress = {}): string {
  return page({
    title: 'Map chat',
    insecure,
    module: 'main.mjs',
    body: `<header class="bar">
  <p class="brand">Map chat</p>
  <p class="state" id="state" data-state="idle" role="status"><span class="dot" aria-hidden="true"></span><span id="state-words">Not connected</span></p>
  <p class="lease muted small" id="lease"></p>
  <p class="who"><span class="muted">You are</span> <strong id="nickname">${escape(id)}</strong>
    <span class="chip">${escape(roles.join(', '))}</span></p>
  <form method="post" action="/logout"><button class="button button-small" type="submit">Log out</button></form>
</header>
<main>
  <section class="gate" id="gate" aria-labelledby="gate-title">
    <div class="card stack gate-card">
      <span class="pin" aria-hidden="true"></span>
      <h1 id="gate-title">Where are you?</h1>
      <p>Everything that is said here stands on a map, so the chat opens once your browser has told this page where
        you are.</p>
      <p class="muted small">The position is rounded to about 100 metres before it leaves this page, and sent only with
        what you write. Everyone in the chat sees it.</p>
      <p><button class="button button-primary" id="share" type="button">Share my position</button></p>
      <p class="notice" id="gate-problem" role="alert"></p>
    </div>
  </section>
  <section class="room" id="room" hidden aria-labelledby="room-title">
    <h1 class="visually-hidden" id="room-title">What is said, and where</h1>
    <div class="map" id="map" tabindex="0" role="group" aria-label="Map of what was said: arrow keys move it, plus and minus zoom, 0 shows the whole world">
      <svg id="world" aria-hidden="true" preserveAspectRatio="xMidYMid meet"></svg>
      <div class="zoom">
        <button class="button" type="button" id="zoom-in" aria-label="Zoom in">+</button>
        <button class="button" type="button" id="zoom-out" aria-label="Zoom out">−</button>
        <button class="button" type="button" id="zoom-me" aria-label="Show where I am"><span class="here" aria-hidden="true"></span></button>
        <button class="button" type="button" id="zoom-all" aria-label="Show the whole world"><span class="globe" aria-hidden="true"></span></button>
      </div>
      <p class="credit">Coastlines: Natural Earth</p>
    </div>
    <div class="talk">
      <ol class="lines" id="lines" aria-label="Messages" tabindex="0"></ol>
      <p class="empty" id="empty">Nobody has said anything yet. Be the first.</p>
      <form class="composer" id="composer">
        <label for="message" class="visually-hidden">Your message</label>
        <textarea class="input" id="message" rows="2" placeholder="Say something" aria-describedby="refusal count" autocomplete="off"></textarea>
        <p class="refusal" id="refusal" role="alert"></p>
        <p class="from muted small"><span id="from"></span> <button class="link" id="relocate" type="button">Update</button></p>
        <p class="count muted small" id="count">0 / 500</p>
        <button class="button button-primary" id="send" type="submit" disabled>Send</button>
      </form>
      <p class="notice over" id="over" role="alert" hidden></p>
    </div>
  </section>
</main>`,
  })
}

function page(parts: {
  readonly title: string
  readonly insecure: boolean | undefined
  readonly module: string
  readonly body: string
}): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(parts.title)}</title>
<link rel="icon" href="/page/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page/chat.css">
<script type="module" src="/page/${parts.module}"></script>
</head>
<body>
${parts.insecure === true ? banner : ''}
${parts.body}
</body>
</html>
`
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => escapes[char] ?? char)
}
