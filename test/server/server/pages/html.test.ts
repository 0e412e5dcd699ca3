import { describe, expect, test } from 'vitest'
import { escapeHtml, html } from '../../../../packages/server/src/server/pages/html.ts'

describe('a template', () => {
  test('escapes text, keeps HTML, joins lists and leaves out what is undefined', () => {
    const list = ['<', '"'].map((text) => html`<b>${text}</b>`)
    expect(html`<p title="${"'"}">${1}${list}${undefined}</p>`.html).toBe(
      '<p title="&#39;">1<b>&lt;</b><b>&quot;</b></p>',
    )
  })

  test('escapes each character that means something in HTML', () => {
    expect(escapeHtml('&<>"\'a')).toBe('&amp;&lt;&gt;&quot;&#39;a')
  })
})
