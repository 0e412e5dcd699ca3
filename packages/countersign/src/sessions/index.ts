/** `countersign/sessions`: sockets that live and end with the sessions of a web application. */
export { callbackSessions, type CallbackSessions, type CallbackSessionsOptions } from './callback-sessions.ts'
export type { CoupledSessions, WatchOptions } from './coupled-sessions.ts'
