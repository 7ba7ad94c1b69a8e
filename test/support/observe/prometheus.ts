import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Guide } from '../documents/guide.ts'
import { freePort } from '../network/listen.ts'
import { startDaemon } from '../program/daemon.ts'
import { until } from '../until.ts'

/** Whether this machine has a Prometheus. Debian's package prometheus has one, with promtool. */
export const hasPrometheus = spawnSync('prometheus', ['--version']).error === undefined

export const noPrometheus = 'there is no prometheus (Debian: apt-get install prometheus)'

/** What docs/operations.md has for prometheus.yml. */
export const [documented] = new Guide('docs/operations.md').take('yaml', 1)

/** A series, and its value. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

/** A real Prometheus with the configuration of docs/operations.md and the alerts of deploy/, that looks twice a second. */
export class Prometheus implements AsyncDisposable {
  private constructor(
    private readonly url: string,
    private readonly stack: AsyncDisposableStack,
  ) {}

  /** @param ports of `/metrics` of servers on this machine */
  static async reading(...ports: readonly number[]): Promise<Prometheus> {
    await using stack = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'prometheus-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    const targets = ports.map((port) => `'127.0.0.1:${port}'`)
    const config = documented.replace("'127.0.0.1:9464'", targets.join(', '))
    const often = 'global: { scrape_interval: 500ms, evaluation_interval: 500ms }\n'
    await writeFile(join(folder, 'prometheus.yml'), often + config)
    await cp('deploy/prometheus/alerts.yml', join(folder, 'alerts.yml'))
    const address = `127.0.0.1:${await freePort()}`
    const options = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`]
    const daemon = startDaemon(stack, 'prometheus', [...options, `--web.listen-address=${address}`])
    const url = `http://${address}`
    await until(async () => {
      daemon.requireAlive()
      const response = await fetch(`${url}/-/ready`).catch(() => null)
      await response?.text()
      return response?.status === 200
    })
    return new Prometheus(url, stack.move())
  }

  /** Waits until all servers were read, and the alerts looked at, after this moment. */
  async look(): Promise<void> {
    const now = Date.now() / 1000
    await until(async () => {
      const [oldest] = await this.query('min(timestamp(up))')
      return (oldest?.value ?? 0) > now
    })
    await until(async () =>
      (await this.#rules()).every(({ lastEvaluation }) => Date.parse(lastEvaluation) / 1000 > now + 0.5),
    )
  }

  async query(expression: string): Promise<Sample[]> {
    const { result } = await this.#ask(`query?${new URLSearchParams({ query: expression })}`)
    return (result as { metric: Record<string, string>; value: [number, string] }[]).map(({ metric, value }) => ({
      metric,
      value: Number(value[1]),
    }))
  }

  /** The state of each alert by its name: `inactive`, `pending` (it is the case, and not long enough yet), or `firing`. */
  async alerts(): Promise<Map<string, string>> {
    return new Map((await this.#rules()).map(({ name, state }) => [name, state]))
  }

  async #rules(): Promise<{ name: string; state: string; lastEvaluation: string }[]> {
    const { groups } = await this.#ask('rules')
    const rules = groups.flatMap(({ rules }: { rules: unknown[] }) => rules)
    for (const { name, health, lastError } of rules) {
      if (health === 'err') throw new Error(`${name}: ${lastError}`)
    }
    return rules
  }

  // biome-ignore lint/suspicious/noExplicitAny: as a caller of an untyped API does.
  async #ask(path: string): Promise<any> {
    // biome-ignore lint/suspicious/noExplicitAny: as a caller of an untyped API does.
    const answer = (await (await fetch(`${this.url}/api/v1/${path}`)).json()) as any
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`)
    return answer.data
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.disposeAsync()
  }
}
