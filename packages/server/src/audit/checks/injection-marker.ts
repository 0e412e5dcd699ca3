/** I14: what one user writes reaches another as it was written. */
import { newMarker, presentedAs } from '../canaries.ts'
import type { Check } from '../check.ts'
import { low } from '../needs.ts'
import { samplesOf, withTexts } from '../sample-messages.ts'
import { nobodyGetsIn, stayAsSomebody } from '../staying.ts'

/** Markup from one socket to another. */
export const injectionMarker: Check = {
  id: 'I14',
  title: 'Markup of one user reaches another unchanged',
  cwe: [79, 89],
  asvs: ['1.2.1'],
  safety: 'P',
  needs: [low],
  why: 'A server may well hand text on as it is: what matters is what the page makes of it. If the page puts it into its HTML, the sender’s script runs there in the reader’s name, and with the reader’s socket.',
  remedy: {
    text: 'Put text into pages as text (textContent, a framework’s own binding), never as HTML; add a Content-Security-Policy without inline scripts.',
    ws: 'item.textContent = message.text // in the page; not innerHTML',
    socketIo: "socket.on('chat', ({ text }) => { item.textContent = text }) // in the page",
    countersign: '// messagePolicy decides who may send; what a page makes of the text is the page’s',
  },
  async run(scene) {
    const reader = await presentedAs(scene, scene.high === undefined ? 'low' : 'high')
    if (reader === undefined) return { kind: 'not tested', missing: low.missing }
    const listener = await scene.oracle.stay(reader)
    const sender = await stayAsSomebody(scene)
    try {
      if (listener.view.kind !== 'open' || sender.view.kind !== 'open')
        return { kind: 'not tested', missing: nobodyGetsIn }
      const marker = newMarker()
      const markup = `<i data-${marker}>'&`
      for (const sample of samplesOf(scene))
        for (const text of withTexts(sample, markup)) sender.visit.send(text)
      const heard = await scene.oracle.hear(
        listener.visit,
        (text) => text.includes(marker),
        scene.oracle.settleMs,
      )
      const exchanges = [sender.exchange, listener.exchange]
      if (heard === undefined)
        return { kind: 'pass', says: 'nothing that one socket said was heard on another', exchanges }
      if (!heard.includes(`<i data-${marker}>`))
        return { kind: 'pass', says: 'markup reaches another socket encoded', exchanges }
      return {
        kind: 'info',
        says: 'markup reaches another socket as it was sent; look how the page shows it',
        exchanges,
      }
    } finally {
      await Promise.all([listener.visit.leave(), sender.visit.leave()])
    }
  },
}
