import { describe, expect, test } from 'vitest'
import { findInexactness } from '../../src/server/request/exact-json.ts'
import { Random } from '../support/random.ts'

const altered = 'JSON.parse has read another value than the text has.'

/** What a parser with a fault could make of a text. */
const faults: [text: string, value: unknown][] = [
  // Nodes of node-check.ts read the second key so.
  [String.raw`{"zz":1,"\n":0}`, { zz: 1, '\\': 0 }],
  ['{"a":1}', { b: 1 }],
  ['{"a":1}', {}],
  ['{"a":1}', { a: 1, b: 1 }],
  ['{"a":1,"b":2}', { a: 2, b: 1 }],
  ['{"a":1,"b":2}', { a: 1, c: 2 }],
  ['{"a":1}', null],
  ['{"a":1}', [1]],
  ['{"a":undefined}'.replace('undefined', 'null'), { a: undefined }],
  ['[]', {}],
  ['[1]', []],
  ['[1]', { 0: 1, length: 1 }],
  ['[1]', [1, 1]],
  ['[1,2]', [2, 1]],
  ['1', '1'],
  ['1', 2],
  ['1', -1],
  ['-1', 1],
  ['1.5', 1.25],
  ['1.50', 1.25],
  ['1e2', 10],
  ['"1"', 1],
  ['"a"', 'b'],
  ['"a"', 'ab'],
  ['"ab"', 'a'],
  ['"a"', '"a"'],
  [String.raw`"a\nb"`, String.raw`a\nb`],
  [String.raw`"a\u0041"`, 'au0041'],
  [String.raw`"${'x'.repeat(100)}\n"`, `${'x'.repeat(100)}n`],
  [`"${'x'.repeat(100)}"`, `${'x'.repeat(99)}y`],
  [`["${'x'.repeat(100)}","y"]`, [`${'x'.repeat(100)}","y`]],
  [`"${'x'.repeat(100_000)}"`, `${'x'.repeat(99_999)}y`],
  // As it stands in the text, and not as it is to be read.
  [`"${'x'.repeat(40)}${String.raw`\\`}"`, `${'x'.repeat(40)}${String.raw`\\`}`],
  ['true', false],
  ['false', null],
  ['null', undefined],
  ['null', 'null'],
  ['true', 'true'],
]

describe('a value is compared with its text', () => {
  test.each(faults)('%s is not taken for another value', (text, value) => {
    expect(() => findInexactness(text, value)).toThrow(altered)
    expect(findInexactness(text, JSON.parse(text))).toBeNull()
  })

  test('a parser that reads any one key or text otherwise is found out', () => {
    const random = new Random(13)
    const letters = ['a', 'é', '\n', '"', '\\', '\u2028', '👩', '/', '\u0001', ' ', ':', '{', '0']
    const word = () => Array.from({ length: random.below(50) }, () => random.pick(letters)).join('')
    const make = (depth: number): unknown => {
      const kind = random.below(depth > 3 ? 3 : 5)
      if (kind === 0) return word()
      if (kind === 1) return random.pick([0, 1, -1, 1.5, 1e21, -2e-7, 123456789012345])
      if (kind === 2) return random.pick([true, false, null])
      const items = Array.from({ length: random.below(5) }, () => make(depth + 1))
      return kind === 3 ? items : Object.fromEntries(items.map((item, index) => [`k${index}${word()}`, item]))
    }
    for (let round = 0; round < 2_000; round++) {
      const value = { a: make(0), b: word() }
      const indent = random.pick([undefined, 1, '\t'])
      const plain = JSON.stringify(value, null, indent)
      // Other clients escape what JavaScript does not.
      const text = random.chance(0.5) ? plain : plain.replace(/[^ -~\s]/g, (char) => `\\u${hex(char)}`)
      expect(findInexactness(text, value)).toBeNull()
      const other = JSON.parse(JSON.stringify(value).replace(/"k0|"b"/, (key) => `"x${key.slice(1)}`))
      expect(() => findInexactness(text, other)).toThrow(altered)
    }
  })

  test('what only looks like nesting is no nesting, and what is nested beyond the stack is told', () => {
    expect(findInexactness(`["${'['.repeat(5_000)}"]`, ['['.repeat(5_000)])).toBeNull()
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    expect(findInexactness(deep, JSON.parse(deep))).toBe('is nested too deeply.')
  })

  test('what a parser has left out behind a value is found out', () => {
    expect(() => findInexactness('1 2', 1)).toThrow(altered)
    expect(() => findInexactness('{"a":1}}', { a: 1 })).toThrow(altered)
    expect(findInexactness(' 1 \n', 1)).toBeNull()
  })

  test.each([
    ['{"b":1,"1":2}', true],
    ['{"2":1,"1":2}', true],
    ['{"1":1,"1":1}', true],
    ['{"1":1,"2":2,"b":3}', false],
    ['{"b":1,"a":2}', false],
    ['{"b":1,"01":2}', false],
  ])('the keys of %s keep their order, or that is told where it counts', (text, moves) => {
    const found = (around: string) => findInexactness(around, JSON.parse(around))
    expect(found(`{"parts":[${text}]}`) !== null).toBe(moves)
    expect(found(`{"metadata":${text}}`) !== null).toBe(text === '{"1":1,"1":1}')
  })

  test('a sentence shows no more than the beginning of a key', () => {
    const key = 'k'.repeat(1_000)
    const sentence = findInexactness(`{"${key}":1,"${key}":2}`, { [key]: 2 })
    expect(sentence).toMatch(/^the key "k{40}"… stands twice/)
  })

  test.each([
    ['0.12345678901234560', null],
    ['1.2345678901234e5', null],
    ['1e400', 'the number 1e400 does not fit'],
    ['1e-400', 'the number 1e-400 does not fit'],
    ['0e99999999999999999999', null],
    ['1e-99999999999999999999', 'the number 1e-99999999999999999999 does not fit'],
    [`1.${'0'.repeat(398)}`, null],
    [`1.${'0'.repeat(399)}`, 'does not fit'],
    ['-0', null],
    ['-0.0', null],
  ])('the number %s', (text, reason) => {
    const found = findInexactness(text, JSON.parse(text))
    if (reason === null) expect(found).toBeNull()
    else expect(found).toContain(reason)
  })
})

function hex(char: string): string {
  return char.charCodeAt(0).toString(16).padStart(4, '0')
}
