import { type ReactNode, useId } from 'react'

interface TableProps {
  readonly title: string
  readonly heads: readonly string[]
  /** Which columns hold numbers. */
  readonly numbers?: readonly number[]
  readonly children: ReactNode
}

/** On a narrow screen it is scrolled sideways, with the keyboard too. */
export function Table({ title, heads, numbers = [], children }: TableProps) {
  const id = useId()
  return (
    <section className="table" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled has to be reached by the keyboard. */}
      <div className="table-scroll" tabIndex={0}>
        <table>
          <thead>
            <tr>
              {heads.map((head, index) => (
                <th key={head} scope="col" className={numbers.includes(index) ? 'number' : undefined}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
    </section>
  )
}
