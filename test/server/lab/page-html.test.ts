import { describe, expect, it } from 'vitest'
import { doorSheets, labCases } from '../../../packages/server/src/lab/cases.ts'
import { renderHostile } from '../../../packages/server/src/lab/page/hostile-page.ts'
import { jsonBlock } from '../../../packages/server/src/lab/page/json-block.ts'
import { renderLab } from '../../../packages/server/src/lab/page/lab-page.ts'
import { renderLoginSecret } from '../../../packages/server/src/lab/page/login-secret-page.ts'

const doors = doorSheets.map(({ id }, index) => ({ id, url: `ws://localhost:${8001 + index}/` }))
const model = {
  username: 'alice',
  roles: ['user'],
  version: '1.2.3',
  doors,
  hostileOrigin: 'http://localhost:8030',
}
const lab = renderLab(model)
const doorUrl = 'ws://localhost:8013/'
const secret = renderLoginSecret({ given: { authid: 'name', secret: 'deep' }, doorUrl, docs: undefined })
const hostile = renderHostile({ labOrigin: 'http://localhost:8000', doors })

describe.each([
  ['the lab', lab],
  ['the hostile page', hostile],
  ['the page that carries its secret', secret],
])('%s', (_name, page) => {
  it('runs under a policy without unsafe-inline: no inline script, style or handler', () => {
    const scripts = [...page.matchAll(/<script([^>]*)>/g)].map(([, attributes]) => attributes ?? '')
    for (const attributes of scripts) expect(attributes).toMatch(/src="\/assets\/|type="application\/json"/)
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+="/)
  })

  it('asks for nothing from elsewhere', () => {
    const addresses = [...page.matchAll(/\s(?:src|href)="([^"]*)"/g)].map(([, address]) => address)
    for (const address of addresses) expect(address).toMatch(/^(?:\/|#|data:,$)/)
  })

  it('has one heading of the first rank, a language and a title', () => {
    expect(page.match(/<h1/g)).toHaveLength(1)
    expect(page).toMatch(/<html lang="en">/)
    expect(page).toMatch(/<title>[^<]+<\/title>/)
  })

  it('uses every id once', () => {
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('the lab', () => {
  it('says who is logged in, and escapes it', () => {
    const page = renderLab({ ...model, username: '<img src=x>', roles: ['a&b'] })
    expect(page).toContain('&lt;img src=x&gt;')
    expect(page).toContain('a&amp;b')
    expect(page).not.toContain('<img')
  })

  it.each(labCases.map(({ id }) => id))(
    'has a row for %s with its expected outcome and room for what is measured',
    (id) => {
      const row = lab.slice(lab.indexOf(`id="${id}"`)).split('</details>')[0] ?? ''
      expect(row).toMatch(/data-expected>[^<]+</)
      expect(row).toContain('data-measured')
      expect(row).toContain('data-verdict-words')
    },
  )

  it.each(doorSheets.map(({ id }) => id))('has a gate, a card and server code for %s', (id) => {
    expect(lab).toContain(`data-gate="${id}"`)
    expect(lab).toContain(`data-door="${id}"`)
    expect(lab).toMatch(new RegExp(`<template data-sample="${id}">[^<]*createGuard`))
  })

  it('says where each door listens', () => {
    for (const { url } of doors) expect(lab).toContain(`>${url}</code>`)
  })

  it('hands its script the whole table of cases', () => {
    const block = /id="lab-data">([\s\S]*?)<\/script>/.exec(lab)?.[1] ?? ''
    expect(JSON.parse(block)).toMatchObject({
      username: 'alice',
      docsBase: '',
      cases: JSON.parse(JSON.stringify(labCases)),
    })
  })
})

describe('the hostile page', () => {
  it('knows its targets and the only origin that it talks to', () => {
    const block = /id="hostile-data">([\s\S]*?)<\/script>/.exec(hostile)?.[1] ?? ''
    expect(JSON.parse(block)).toEqual({ lab: 'http://localhost:8000', targets: doors })
  })
})

describe('the page that carries its secret', () => {
  it('holds it once, in a block that no browser executes and that no value can end', () => {
    const given = { authid: '</script><script>', secret: '<!--"&' }
    const page = renderLoginSecret({ given, doorUrl, docs: '/docs/doors/login-secret.md' })
    const block = /<script type="application\/json" id="countersign-secret">([\s\S]*?)<\/script>/.exec(page)
    expect(JSON.parse(block?.[1] ?? '')).toEqual(given)
    expect(page.match(/<script/g)).toHaveLength(2)
    expect(secret.match(/deep/g)).toHaveLength(1)
  })
})

describe('a data block', () => {
  it('is ended by no value in it', () => {
    const value = { text: '</script><!--' }
    const { html: text } = jsonBlock(value)
    expect(text).not.toContain('<')
    expect(JSON.parse(text)).toEqual(value)
  })
})
