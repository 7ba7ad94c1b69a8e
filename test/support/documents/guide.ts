import { readFileSync } from 'node:fs'
import { afterAll, expect } from 'vitest'

/** A fenced block of a document. */
interface Block {
  readonly line: number
  /** What stands behind the fence: `sh`, `ts`, or nothing where it is what a program prints. */
  readonly language: string
  readonly text: string
}

/** As many texts as were asked for. */
type Texts<Count extends number, Known extends string[] = []> = Known['length'] extends Count
  ? Known
  : Texts<Count, [...Known, string]>

/** The blocks of a document, each of which somebody has to take: to run it, or to compare it with what is the case. */
export class Guide {
  readonly text: string
  readonly #path: string
  #left: Block[]

  constructor(path: string) {
    this.#path = path
    this.text = readFileSync(path, 'utf8')
    this.#left = blocksOf(this.text)
  }

  /** All blocks of a language, of which there have to be so many. */
  take<Count extends number>(language: string, count: Count): Texts<Count> {
    const taken = this.#left.filter((block) => block.language === language)
    if (taken.length !== count)
      throw new Error(`${this.#path} has ${taken.length} blocks of "${language}", not ${count}`)
    this.#left = this.#left.filter((block) => block.language !== language)
    return taken.map(({ text }) => text) as Texts<Count>
  }

  /** Where the blocks begin that nobody took. */
  get left(): string[] {
    return this.#left.map(({ line }) => `${this.#path}:${line}`)
  }
}

/** A document of which the tests of this file take every block. test/guides/documents.test.ts looks for this call. */
export function useGuide(path: string): Guide {
  const guide = new Guide(path)
  afterAll(() => expect(guide.left).toEqual([]))
  return guide
}

/** Without those that cannot be run, of which a comment in the line before says why: `<!-- not run: it needs … -->`. */
export function blocksOf(text: string): Block[] {
  const found = text.matchAll(/(<!-- not run: \S.* -->\n)?^( *)```(\w*)\n([\s\S]*?)^\2```$/gm)
  return [...found].flatMap(({ index, 1: notRun, 2: indent = '', 3: language = '', 4: block = '' }) => {
    const line = text.slice(0, index).split('\n').length
    return notRun ? [] : [{ line, language, text: block.replaceAll(new RegExp(`^${indent}`, 'gm'), '') }]
  })
}
