import { Counter, Gauge, type Metric, Registry } from 'prom-client'
import type { Distribution } from '../../observe/distribution.ts'
import type { Figure } from '../../observe/server-self.ts'

/** A value, and the labels that tell it from others of the same name. */
export type Labelled<Value> = readonly [labels: Readonly<Record<string, string>>, value: Value]

/**
 * What one server tells Prometheus. It keeps no numbers: each metric is a function that is asked when somebody looks, so
 * that nothing is done for metrics where messages are written and sent.
 */
export class Metrics {
  readonly #registry = new Registry()

  get contentType(): string {
    return this.#registry.contentType
  }

  /** All metrics as Prometheus reads them. */
  read(): Promise<string> {
    return this.#registry.metrics()
  }

  /** The values of some metrics, as Prometheus would read them. No other metric is asked. */
  async readSome(names: readonly string[]): Promise<Figure[]> {
    const read = names.map(async (name) => {
      const { values } = (await this.#registry.getSingleMetric(name)?.get()) ?? { values: [] }
      return values.map((one) => ({ name: nameIn(one) ?? name, labels: one.labels, value: one.value }))
    })
    return (await Promise.all(read)).flat()
  }

  counter(name: string, help: string, read: () => number): void {
    this.counters(name, help, [], () => [[{}, read()]])
  }

  counters(name: string, help: string, labelNames: string[], read: () => Iterable<Labelled<number>>): void {
    const counter = new Counter({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect: () => {
        counter.reset()
        for (const [labels, value] of read()) counter.inc(labels, value)
      },
    })
  }

  gauge(name: string, help: string, read: () => number): void {
    this.gauges(name, help, [], () => [[{}, read()]])
  }

  /** @param read may ask the database or the disk */
  gauges(
    name: string,
    help: string,
    labelNames: string[],
    read: () => Iterable<Labelled<number>> | Promise<Iterable<Labelled<number>>>,
  ): void {
    const gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect: async () => {
        const values = await read()
        gauge.reset()
        for (const [labels, value] of values) gauge.set(labels, value)
      },
    })
  }

  distribution(name: string, help: string, read: () => Distribution): void {
    this.distributions(name, help, () => [[{}, read()]])
  }

  /** prom-client's own histogram can only count by itself. */
  distributions(name: string, help: string, read: () => Iterable<Labelled<Distribution>>): void {
    const get = async () => ({
      name,
      help,
      type: 'histogram',
      values: [...read()].flatMap((one) => valuesOf(name, one)),
    })
    this.#registry.registerMetric({ name, get } as unknown as Metric)
  }
}

interface Value {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** A histogram has several values of each, with names of their own. */
function nameIn(value: object): string | undefined {
  return 'metricName' in value ? (value.metricName as string) : undefined
}

/** A histogram in the words of Prometheus: how many values are at most each bound, their sum, and how many they are. */
function valuesOf(name: string, [labels, { bounds, counts, sum }]: Labelled<Distribution>): Value[] {
  let count = 0
  const buckets = counts.map((added, at) => {
    count += added
    return { metricName: `${name}_bucket`, labels: { le: bounds[at] ?? '+Inf', ...labels }, value: count }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
