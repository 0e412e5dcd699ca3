/** I6: secrets and a stranger's text, compressed together. */
import { headerOf } from '../answer.ts'
import { newMarker } from '../canaries.ts'
import type { Check } from '../check.ts'
import { samplesOf, withTexts } from '../sample-messages.ts'
import { nobodyGetsIn, stayAsSomebody } from '../staying.ts'

/** Compression beside reflected text. */
export const compressedSecrets: Check = {
  id: 'I6',
  title: 'What a stranger wrote is compressed together with what is secret',
  cwe: [203],
  asvs: [],
  safety: 'P',
  needs: [],
  why: 'Compressed messages are shorter where a guess repeats the secret beside it. Whoever can have text reflected and see the length of packets may guess secrets byte by byte, as CRIME and BREACH did.',
  remedy: {
    text: 'Leave compression off for sockets that carry secrets beside text of others, or at least agree upon no context takeover, so that messages do not share a window.',
    ws: 'new WebSocketServer({ noServer: true, perMessageDeflate: false })',
    socketIo: 'new Server(server, { perMessageDeflate: false, httpCompression: false })',
    countersign: 'new WebSocketServer({ noServer: true }) // perMessageDeflate is off by default',
  },
  async run(scene) {
    const { view, visit } = await stayAsSomebody(scene, { offersDeflate: true })
    try {
      if (view.kind !== 'open') return { kind: 'not tested', missing: nobodyGetsIn }
      const headers = visit.answer.kind === 'answered' ? visit.answer.headers : []
      const extension = headerOf(headers, 'sec-websocket-extensions') ?? ''
      if (!/permessage-deflate/i.test(extension))
        return { kind: 'pass', says: 'compression is not agreed upon', exchanges: [visit.exchange] }
      const marker = newMarker()
      for (const sample of samplesOf(scene)) for (const text of withTexts(sample, marker)) visit.send(text)
      const reflected = await scene.oracle.hear(visit, (text) => text.includes(marker), scene.oracle.settleMs)
      const takeover = /server_no_context_takeover/i.test(extension) ? 'without' : 'with'
      if (reflected === undefined)
        return {
          kind: 'pass',
          says: `compression is agreed upon, ${takeover} context takeover when asked for none; nothing that was sent came back`,
          exchanges: [visit.exchange],
        }
      return {
        kind: 'info',
        says: `messages are compressed, and what one sends comes back among what the target says (${takeover} context takeover when asked for none)`,
        exchanges: [visit.exchange],
      }
    } finally {
      await visit.leave()
    }
  },
}
