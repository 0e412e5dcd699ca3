import { describe, expect, it } from 'vitest'
import { mask } from '../../../packages/server/src/lab/browser/mask.ts'

describe('a masked line', () => {
  it.each([
    ['GET /?ticket=cst_abc-DEF_123&probe=p1 HTTP/1.1', 'GET /?ticket=cst_••••&probe=p1 HTTP/1.1'],
    ['Cookie: a=1; countersign-session=css_x; b="q"', 'Cookie: a=••••; countersign-session=••••; b=••••'],
    ['authorization: Basic YWxpY2U6c2VjcmV0', 'authorization: Basic ••••'],
    ['Authorization: Bearer anything at all', 'Authorization: Bearer ••••'],
    ['{"type":"auth","token":"s3cret"}', '{"type":"auth","token":"••••"}'],
    ['{"type":"authenticate","signature" : "abc="}', '{"type":"authenticate","signature" : "••••"}'],
    [
      'Sec-WebSocket-Protocol: countersign.v1, countersign.bearer.cst_abc',
      'Sec-WebSocket-Protocol: countersign.v1, countersign.bearer.cst_••••',
    ],
    ['eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln', 'eyJ••••'],
    ['[5,"s3cret\\" and more",{}]', '[5,"••••",{}]'],
    ['AUTHENTICATE [5,"s3cret"]', 'AUTHENTICATE [5,"••••"]'],
    ['[5,"s3cret', '[5,"••••'],
    ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Key: ••••'],
  ])('hides the secret in %s', (line, masked) => {
    expect(mask(line)).toBe(masked)
  })

  it('keeps what is no secret', () => {
    for (const line of [
      'Host: localhost:8001',
      'Hello alice!',
      'close 3000 invalid_credential',
      'Origin: http://localhost:8000',
    ]) {
      expect(mask(line)).toBe(line)
    }
  })
})
