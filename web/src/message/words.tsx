import ReactMarkdown from 'react-markdown'
import remend from 'remend'
import { plugins } from './markdown.tsx'

interface WordsProps {
  readonly text: string
  /** Whether it is Markdown, as what assistants write. */
  readonly isMarkdown: boolean
  /** What is marked, in UTF-16 units; in their order, and none in another one. */
  readonly ranges?: readonly Range[]
}

interface Range {
  readonly start: number
  readonly end: number
}

/** What a few lines may show, with the signs of Markdown that are not shown. */
const most = 500

/** The words that a text begins with, without the signs of Markdown: for lines that say what the text is about. */
export function Words({ text, isMarkdown, ranges = [] }: WordsProps) {
  const bounded = withBounds(text.slice(0, most), ranges)
  if (!isMarkdown)
    return piecesOf(bounded).map(({ words, isMarked }, index) => (isMarked ? <mark key={index}>{words}</mark> : words))
  return (
    <ReactMarkdown remarkPlugins={plugins} rehypePlugins={[markWords]} allowedElements={['mark']} unwrapDisallowed>
      {remend(bounded)}
    </ReactMarkdown>
  )
}

// Of the characters that nobody has given a meaning to: no words have them.
const begin = '\uE000'
const end = '\uE001'

function withBounds(text: string, ranges: readonly Range[]): string {
  let place = 0
  let bounded = ''
  for (const range of ranges) {
    bounded += clean(text.slice(place, range.start)) + begin + clean(text.slice(range.start, range.end)) + end
    place = range.end
  }
  return bounded + clean(text.slice(place))
}

function piecesOf(bounded: string) {
  const pieces = bounded.split(/(\uE000[^\uE001]*)/)
  return pieces.map((piece) => ({ words: clean(piece), isMarked: piece.startsWith(begin) }))
}

function clean(text: string): string {
  return text.replace(/[\uE000\uE001]/g, '')
}

interface Node {
  readonly type: string
  readonly value?: string
  readonly tagName?: string
  readonly properties?: Record<string, never>
  children?: Node[]
}

/** A plugin of rehype: makes elements of what stands between the bounds, also in HTML, which is shown as text. */
function markWords() {
  return markIn
}

function markIn(parent: Node): void {
  parent.children = parent.children?.flatMap((node) => {
    if (node.type === 'text' || node.type === 'raw') return piecesOf(node.value ?? '').map(toNode)
    markIn(node)
    return [node]
  })
}

function toNode({ words, isMarked }: ReturnType<typeof piecesOf>[number]): Node {
  const text = { type: 'text', value: words }
  return isMarked ? { type: 'element', tagName: 'mark', properties: {}, children: [text] } : text
}
