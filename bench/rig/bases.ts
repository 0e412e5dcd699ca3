/** WebSockets beneath clients. */
import type { BaseSocketClass } from 'countersign/client'
import { WebSocket as WsSocket } from 'ws'
import type { BaseKind } from './clients-protocol.ts'
import { origin } from './protocol.ts'

/** As programs have them, without an Origin. */
export const bases: Readonly<Record<BaseKind, BaseSocketClass>> = {
  runtime: globalThis.WebSocket,
  ws: class extends WsSocket {
    constructor(url: string, protocols: string[] = []) {
      super(url, protocols, { perMessageDeflate: false })
    }
  },
}

/** As pages have them: an Origin comes along, and refusals come as close codes. */
export const pageSocket: BaseSocketClass = class extends WsSocket {
  constructor(url: string, protocols: string[] = []) {
    super(url, protocols, { origin, perMessageDeflate: false })
  }
}
