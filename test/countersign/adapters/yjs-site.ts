/** The server of `y-websocket`, of the modules that make its protocol: a document for each path, kept in memory. */
import { createDecoder, readVarUint, readVarUint8Array } from 'lib0/decoding'
import { createEncoder, length, toUint8Array, writeVarUint } from 'lib0/encoding'
import type { WebSocket } from 'ws'
import { applyAwarenessUpdate, Awareness } from 'y-protocols/awareness'
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync'
import * as Y from 'yjs'

/** Kinds of messages, as `y-websocket` numbers them. */
const sync = 0
const awarenessUpdate = 1

/** A document with those who have it open. */
class Room {
  readonly document = new Y.Doc()
  readonly members = new Set<WebSocket>()
  readonly #awareness = new Awareness(this.document)

  constructor() {
    this.#awareness.setLocalState(null)
    this.document.on('update', (update: Uint8Array, origin: unknown) => {
      const encoder = createEncoder()
      writeVarUint(encoder, sync)
      writeUpdate(encoder, update)
      for (const member of this.members) if (member !== origin) member.send(toUint8Array(encoder))
    })
  }

  /** A message that is none is an error of its sender's alone. */
  hear(from: WebSocket, data: Buffer): void {
    const decoder = createDecoder(new Uint8Array(data))
    const kind = readVarUint(decoder)
    if (kind === sync) {
      const encoder = createEncoder()
      writeVarUint(encoder, sync)
      readSyncMessage(decoder, encoder, this.document, from)
      if (length(encoder) > 1) from.send(toUint8Array(encoder))
    } else if (kind === awarenessUpdate) {
      applyAwarenessUpdate(this.#awareness, readVarUint8Array(decoder), from)
      for (const member of this.members) if (member !== from) member.send(data)
    }
  }

  stop(): void {
    this.#awareness.destroy()
    this.document.destroy()
  }
}

/** Rooms by path. */
export class YjsRooms {
  readonly #rooms = new Map<string, Room>()

  /** The document of a path. */
  document(name: string): Y.Doc {
    return this.#room(name).document
  }

  /** What `setupWSConnection` does: the socket has this document open. */
  connect(socket: WebSocket, name: string): void {
    const room = this.#room(name)
    room.members.add(socket)
    socket.on('message', (data: Buffer) => room.hear(socket, data))
    socket.on('close', () => room.members.delete(socket))
    const encoder = createEncoder()
    writeVarUint(encoder, sync)
    writeSyncStep1(encoder, room.document)
    socket.send(toUint8Array(encoder))
  }

  /** Its timers end with it. */
  stop(): void {
    for (const room of this.#rooms.values()) room.stop()
  }

  #room(name: string): Room {
    const room = this.#rooms.get(name) ?? new Room()
    this.#rooms.set(name, room)
    return room
  }
}
