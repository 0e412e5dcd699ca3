import type { LabCase } from '../browser/case.ts'
import { describeOutcome } from '../browser/outcome.ts'
import { wampPlace } from '../browser/wamp-users.ts'
import type { DoorSheet } from '../cases/doors.ts'
import { html, type Html } from '../../server/pages/html.ts'

/** What a card shows. */
export interface CardParts {
  readonly door: DoorSheet
  /** Where the door listens. */
  readonly url: string
  readonly cases: readonly LabCase[]
  /** The lines that one would write in a server. */
  readonly sample: string
  /** The same for a WAMP router; `undefined` where the door has no such cases, or no others. */
  readonly wampSample: string | undefined
}

/** One door: name, sentence, carrier × method, and a row for each case. */
export function renderCard({ door, url, cases, sample, wampSample }: CardParts): Html {
  const title = `${door.id}-title`
  return html`<article class="card door" id="${door.id}" data-door="${door.id}" aria-labelledby="${title}">
    <header class="door__head">
      <div>
        <h3 class="door__title" id="${title}"><span class="door__id">${door.id}</span> ${door.name}</h3>
        <p class="door__sentence">${door.sentence}</p>
      </div>
      <button class="button button--small" type="button" data-run-door="${door.id}" disabled>
        Run <span class="visually-hidden">the cases of ${door.id}</span>
      </button>
    </header>
    <p class="door__chips">
      <span class="chip chip--carrier">${door.carrier}</span>
      <span class="door__times" aria-hidden="true">×</span><span class="visually-hidden"> judged as </span>
      ${door.methods.map((method) => html`<span class="chip">${method}</span>`)}
      <code class="door__url">${url}</code>
    </p>
    <p class="door__gate" data-card-gate="${door.id}" data-state="idle">
      <span class="door__lamp" aria-hidden="true"></span>
      <span>Gate <span data-card-gate-words>idle: no lease is open</span></span>
    </p>
    ${helpOf.get(door.id)} ${door.wamp === true ? wampHelp : undefined}
    <div class="door__legend" aria-hidden="true">
      <span>case</span><span>expected</span><span>measured</span><span>verdict</span
      ><span class="door__ms">time</span>
    </div>
    ${cases.map(renderRow)}
    <template data-sample="${door.id}">${sample}</template>
    ${wampSample === undefined ? undefined : html`<template data-sample="${door.id}-wamp">${wampSample}</template>`}
  </article>`
}

const certificateHelp: Html = html`<div class="door__help">
  <p class="small">
    Trust the lab’s authority (<a href="/lab/ca.pem" download>ca.pem</a>), and import a client certificate:
    make one with <code>countersign cert client alice</code>, or take
    <a href="/lab/client.p12" download>the lab’s own</a>, whose password is <code>countersign</code>.
  </p>
  <label class="switch"
    ><input type="checkbox" data-client-certificate /> A client certificate is installed here</label
  >
</div>`

const secretHelp: Html = html`<p class="door__help small">
  A server that renders its pages itself can put the secret into them:
  <a href="/lab/login-secret">a page that carries its secret</a>.
</p>`

const wampHelp: Html = html`<p class="door__help small">
  Cases over WAMP join <code>${wampPlace.realm}</code> beside this page, at <code>${wampPlace.path}</code>, by
  <a href="/assets/lab/autobahn.min.js">autobahn-browser</a> as its authors publish it.
</p>`

const programHelp: Html = html`<p class="door__help small">
  No page can send the field, so the cases about leases are played by a program that the lab’s server runs for
  this page.
</p>`

const socketIoHelp: Html = html`<p class="door__help small">
  Every case uses <a href="/assets/lab/socket.io.esm.min.js">Socket.IO’s own client</a> as its authors publish
  it. Where a row does not say how it is carried, that is a WebSocket from the first request on.
</p>`

const helpOf: ReadonlyMap<string, Html> = new Map([
  ['D5', programHelp],
  ['D11', certificateHelp],
  ['D13', secretHelp],
  ['D14', socketIoHelp],
])

function renderRow(one: LabCase): Html {
  return html`<details class="case" id="${one.id}" data-case="${one.id}" data-verdict="none">
    <summary class="case__summary">
      <span class="case__title"
        >${one.title}${one.slow ? html` <span class="chip">waits</span>` : undefined}${one.alone ? html` <span class="chip">logs out</span>` : undefined}</span
      >
      <span class="case__outcome"
        ><span class="case__label">expected</span>
        <span data-expected>${describeOutcome(one.expected)}</span></span
      >
      <span class="case__outcome"
        ><span class="case__label">measured</span> <span data-measured>–</span></span
      >
      <span class="case__verdict" data-verdict-words>not run</span>
      <span class="case__ms" data-ms></span>
    </summary>
    <div class="case__body" data-body></div>
  </details>`
}
