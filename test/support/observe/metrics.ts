/** What `/metrics` of a server says: by the name of a sample with its labels, as Prometheus has them, its value. */
export class Samples {
  readonly values: ReadonlyMap<string, number>
  /** The names without labels, and those of histograms without `_bucket`, `_sum` and `_count`. */
  readonly names: ReadonlySet<string>

  private constructor(text: string) {
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    this.values = new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
    this.names = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name as string))
  }

  static async read(url: string | null): Promise<Samples> {
    if (url === null) throw new Error('this server has no metrics')
    const response = await fetch(url)
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    return new Samples(await response.text())
  }

  /** @param labels in the order of the metric's own labels. @throws if there is no such sample */
  of(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const value = this.values.get(nameOf(name, labels))
    if (value === undefined) throw new Error(`no ${nameOf(name, labels)} among\n${[...this.values.keys()].join('\n')}`)
    return value
  }
}

function nameOf(name: string, labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  return parts.length === 0 ? name : `${name}{${parts.join(',')}}`
}
