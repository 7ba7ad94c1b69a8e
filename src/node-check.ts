// Some Nodes read a key of JSON as another key, without an error: 23, 24 before 24.22.1, 25, and 26 before 26.12.1
// (https://github.com/nodejs/node/issues/63785). One user's key would change another user's data. After the first of
// these texts, JSON.parse reads the second key of the other one as a backslash:
//
//   {"zz":1,"\\":0}
//   {"zz":1,"\n":0}
//
// When V8 adds a key to an object, it looks first whether an earlier object of the same keys went on with the same key. It
// compares the earlier key with the raw text, and only with as many characters of the text as the decoded key has. Of `\n`
// that is the backslash.
//
// V8 knows an earlier object's keys only while such an object lives, and only together with the keys before them. So a test is
// a pair of texts. The object of the first text is used again after the second text was parsed. The first key of both texts
// stands in no other text that this process parses.
//
// The check belongs at the start of a process. There, it finds the fault as surely as in a process of its own, also after all
// modules of the server were loaded. After 20,000 objects of 3,000 different keys it found nothing on a Node with the fault.

/** One text of a pair: `{"FIRST":1,"RAW":0}`. The other one follows from it. */
interface EscapedKey {
  readonly first: string
  /** The second key as it stands in the text. */
  readonly raw: string
  /** The second key as it has to be read. */
  readonly key: string
}

/**
 * Why this Node cannot be used, as a sentence that says which one can; null when nothing is wrong. Takes a millisecond.
 *
 * @param parse a test passes another parser than Node's
 */
export function findNodeFault(
  parse: (text: string) => unknown = JSON.parse,
  version = process.versions.node,
): string | null {
  const newline = { first: 'zz', raw: String.raw`\n`, key: '\n' }
  const fault = isTooOld(version)
    ? 'is too old'
    : [newline, ...seededKeys(64)].every((key) => isKept(key, parse))
      ? null
      : 'reads some keys of JSON as other keys, and data would be stored altered'
  if (fault === null) return null
  return `Node ${version} ${fault}: use Node 22 from 22.17 on, 24 from 24.22.1 on, or 26.12.1 and later.`
}

/** MikroORM 7 needs 22.17. */
function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < 22 || (major === 22 && minor < 17)
}

function isKept({ first, raw, key }: EscapedKey, parse: (text: string) => unknown): boolean {
  // What a Node with the fault reads instead of the key, once it knows an object that has it.
  const mistaken = raw.slice(0, key.length)
  const earlier = parse(`{"${first}":1,${JSON.stringify(mistaken)}:0}`)
  const later = parse(`{"${first}":1,"${raw}":0}`)
  return secondKey(later) === key && secondKey(earlier) === mistaken
}

function secondKey(value: unknown): string | undefined {
  return Object.keys(value as object)[1]
}

const escapes = [
  [String.raw`\"`, '"'],
  [String.raw`\\`, '\\'],
  [String.raw`\/`, '/'],
  [String.raw`\b`, '\b'],
  [String.raw`\f`, '\f'],
  [String.raw`\n`, '\n'],
  [String.raw`\r`, '\r'],
  [String.raw`\t`, '\t'],
] as const

/** Keys of up to 16 letters with one escape in it, the same ones at each start. */
function seededKeys(count: number): EscapedKey[] {
  let state = 1
  // The generator of Park and Miller: the product stays below 2 ** 53.
  const draw = (below: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
  const letters = () => Array.from({ length: draw(9) }, () => String.fromCharCode(97 + draw(26))).join('')
  const escaped = () => {
    const known = escapes[draw(2 * escapes.length)]
    if (known !== undefined) return known
    const code = 0xa0 + draw(0xd000)
    return [`\\u${code.toString(16).padStart(4, '0')}`, String.fromCharCode(code)] as const
  }
  return Array.from({ length: count }, (_, index) => {
    const [before, [raw, decoded], after] = [letters(), escaped(), letters()]
    return { first: `zz${index}`, raw: before + raw + after, key: before + decoded + after }
  })
}
