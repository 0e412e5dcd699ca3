/** As `script.ts`, with challenges and Socket.IO: `<script src="countersign-client-all.js">`. */
export * from './index.ts'
export * from './challenges.ts'
export * from './socket-io.ts'
