import { expect, test } from 'vitest'
import { endOfString } from '../../src/server/request/end-of-string.ts'

test('a string of JSON ends at its own last quote, however long it is and whatever is escaped in it', () => {
  for (const escaped of ['', '"', '\\', '\\"', '"\\', '\\\\', '""', '\n"']) {
    for (let before = 0; before < 140; before++) {
      for (const after of [0, 1, 63, 64, 65, 130]) {
        const string = JSON.stringify(`${'x'.repeat(before)}${escaped}${'y'.repeat(after)}`)
        const text = `{${string}:"next"}`
        expect([string, endOfString(text, 1)]).toEqual([string, string.length])
        // Cut off before its last quote, it ends with the text.
        const open = text.slice(0, string.length)
        expect([open, endOfString(open, 1)]).toEqual([open, open.length])
      }
    }
  }
})
