import type { DoorSheet } from '../cases/doors.ts'
import { html, type Html } from '../../server/pages/html.ts'

/** A barrier at a sentry's post: who knocks stands before it, the arm goes up, or the lamp says no. */
const barrier: Html = html`<svg class="barrier" viewBox="0 0 64 44" aria-hidden="true" focusable="false">
  <line class="barrier__road" x1="2" y1="40" x2="62" y2="40" />
  <circle class="barrier__visitor" cx="9" cy="33" r="4.5" />
  <g class="barrier__arm">
    <line class="barrier__beam" x1="52" y1="25" x2="18" y2="25" />
    <line class="barrier__stripes" x1="47" y1="25" x2="18" y2="25" />
  </g>
  <path class="barrier__post" d="M49 40V22a3 3 0 0 1 6 0v18z" />
  <circle class="barrier__lamp" cx="52" cy="12" r="4.5" />
  <path class="barrier__yes" d="M49.8 12l1.6 1.7 3-3.3" />
  <path class="barrier__no" d="M50.2 10.2l3.6 3.6m0-3.6l-3.6 3.6" />
</svg>`

/** One gate of the sentry strip; its script moves it by `data-state`. */
export function renderGate(door: DoorSheet, cases: number): Html {
  return html`<li class="strip__item">
    <a class="gate" href="#${door.id}" data-gate="${door.id}" data-state="idle">
      ${barrier}
      <span class="gate__id">${door.id}</span>
      <span class="visually-hidden">${door.name}: </span>
      <span class="gate__state" data-gate-state>idle</span>
      <span class="gate__left" data-gate-left></span>
      <span class="gate__tally" data-gate-tally>${cases} cases</span>
    </a>
  </li>`
}
