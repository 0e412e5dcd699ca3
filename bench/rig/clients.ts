/** Processes that run the library's own clients. */
import { Child } from './child.ts'
import type { EchoQuestions, StormQuestions } from './clients-protocol.ts'

/** Clients that are measured: they have the core to themselves that servers have elsewhere. */
export class EchoClients extends Child<EchoQuestions> {
  static start(): EchoClients {
    return new EchoClients({ file: new URL('echo-clients.ts', import.meta.url), core: 'server' })
  }
}

/** A crowd of clients, on the core that servers do not use. */
export class StormClients extends Child<StormQuestions> {
  static start(): StormClients {
    return new StormClients({ file: new URL('storm-clients.ts', import.meta.url), core: 'generator' })
  }
}
