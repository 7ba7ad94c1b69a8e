import { memo, type ReactNode, useRef, useState } from 'react'
import ReactMarkdown, { type Components, defaultUrlTransform } from 'react-markdown'
import remarkGfm from 'remark-gfm'
import remend from 'remend'
import { Icon } from '../app/icons.tsx'
import { blocksOf } from './markdown-blocks.ts'

interface MarkdownProps {
  readonly text: string
  /** More of it is to come: what is open at its end is shown as if it were closed. */
  readonly isGrowing: boolean
}

/** Only the last block of a text that grows is read again. */
export function Markdown({ text, isGrowing }: MarkdownProps) {
  const blocks = blocksOf(isGrowing ? remend(text) : text)
  return (
    <div className="markdown">
      {blocks.map((block, index) => (
        <Block key={index} text={block} />
      ))}
    </div>
  )
}

export const plugins = [remarkGfm]

const Block = memo(({ text }: { readonly text: string }) => (
  <ReactMarkdown remarkPlugins={plugins} components={components} urlTransform={transformUrl}>
    {text}
  </ReactMarkdown>
))

/** Pictures inside of the text are shown; of others the page would tell their server who reads it. */
function transformUrl(url: string, key: string): string {
  return key === 'src' && /^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/.test(url) ? url : defaultUrlTransform(url)
}

const components: Components = {
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noreferrer noopener nofollow">
      {children}
    </a>
  ),
  img: ({ src, alt }) =>
    typeof src === 'string' && src.startsWith('data:') ? (
      <img className="picture" src={src} alt={alt ?? ''} />
    ) : (
      <a href={typeof src === 'string' ? src : undefined} target="_blank" rel="noreferrer noopener nofollow">
        {alt || 'Picture'}
      </a>
    ),
  pre: ({ children }) => <Code>{children}</Code>,
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
    <section className="wide" tabIndex={0} aria-label="Table">
      <table>{children}</table>
    </section>
  ),
}

function Code({ children }: { readonly children?: ReactNode }) {
  const ref = useRef<HTMLPreElement>(null)
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(ref.current?.textContent ?? '')
    setCopied(true)
  }
  return (
    <div className="code">
      <button
        type="button"
        className="tool small"
        aria-label="Copy the code"
        onBlur={() => setCopied(false)}
        onClick={copy}
      >
        <Icon name={isCopied ? 'check' : 'copy'} />
      </button>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard */}
      <pre ref={ref} tabIndex={0}>
        {children}
      </pre>
    </div>
  )
}
