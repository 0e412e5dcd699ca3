import { describe, expect, it } from 'vitest'
import { discoverSockets } from '../../../../packages/server/src/audit/discovery/page.ts'

const page = new URL('https://app.example.com/room/1')
const found = (text: string): readonly unknown[] =>
  discoverSockets([{ url: page, text }], page).map(({ url, protocol }) => [url.href, protocol])

describe('a page', () => {
  it.each([
    ["new WebSocket('wss://live.example.com/v1')", 'wss://live.example.com/v1', undefined],
    ['new WebSocket(`wss://${location.host}/socket`)', 'wss://app.example.com/socket', undefined],
    ["new WebSocket('wss://' + location.host + '/feed')", 'wss://app.example.com/feed', undefined],
    ["new WebSocket('/plain')", 'wss://app.example.com/plain', undefined],
    ["const socket = io('/console')", 'wss://app.example.com/socket.io/', 'socket.io'],
    ["io({ path: '/live' })", 'wss://app.example.com/live/', 'socket.io'],
    ['<script src="/socket.io/socket.io.js"></script>', 'wss://app.example.com/socket.io/', 'socket.io'],
  ])('with %s opens a socket', (text, url, protocol) => {
    expect(found(text)).toEqual([[url, protocol]])
  })

  it('opens none', () => {
    expect(found('<p>ws://example.com is no string of a script</p>')).toEqual([])
  })

  it('is not followed for ever', () => {
    const many = Array.from({ length: 100 }, (_one, index) => `"wss://app.example.com/${index}"`).join()
    expect(found(many)).toHaveLength(20)
  })
})
