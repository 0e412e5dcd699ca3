import { createServer } from 'node:http'
import { createEncoder, toUint8Array, writeVarUint } from 'lib0/encoding'
import { WebSocketServer } from 'ws'
import { writeSyncStep1, writeUpdate } from 'y-protocols/sync'
import * as Y from 'yjs'
import { guardUpgrades, type ConnectionListener } from '../../../packages/countersign/src/adapters/ws.ts'
import { plainSpeech, type Speech } from './speech.ts'
import { adapterSuite } from './suite.ts'
import { YjsRooms } from './yjs-site.ts'

function message(write: (encoder: ReturnType<typeof createEncoder>) => void): Buffer {
  const encoder = createEncoder()
  writeVarUint(encoder, 0)
  write(encoder)
  return Buffer.from(toUint8Array(encoder))
}

const speech: Speech = {
  ...plainSpeech,
  // The greeting is in the document, which has to be asked for.
  ask: [message((encoder) => writeSyncStep1(encoder, new Y.Doc()))],
  say(text) {
    const document = new Y.Doc()
    document.getArray('heard').push([text])
    return message((encoder) => writeUpdate(encoder, Y.encodeStateAsUpdate(document)))
  },
  terse: false,
}

adapterSuite({
  name: 'y-websocket',
  speech,
  open({ guard, messages, greet }) {
    const server = createServer()
    const wss = new WebSocketServer({ noServer: true })
    const rooms = new YjsRooms()
    let visits = 0
    const connected: ConnectionListener = (socket, request, lease) => {
      const { url = '', headers, rawHeaders } = request
      if (!url.startsWith('/chat')) return socket.close(1008)
      // One document for each visit: what a test says is then heard by one alone.
      const name = `/chat/${++visits}`
      const document = rooms.document(name)
      const hear = greet(lease, [url, headers, rawHeaders], (text) =>
        document.getText('greeting').insert(0, text),
      )
      const heard = document.getArray<string>('heard')
      heard.observe(({ changes }) => {
        for (const { content } of changes.added) for (const text of content.getContent()) hear(String(text))
      })
      rooms.connect(socket, name)
    }
    wss.on('connection', connected)
    guardUpgrades(server, wss, guard, messages)
    return {
      server,
      close() {
        guard.close()
        rooms.stop()
        server.close()
      },
    }
  },
})
