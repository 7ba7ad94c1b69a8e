import type { Case, Goal } from './case.ts'
import { compare, type Entrant, enterServer, type Load, type Measurement, report } from './compare.ts'
import type { Contender } from './contenders.ts'
import { standardData } from './data.ts'
import { enterPgbench } from './pgbench.ts'

export interface RequestCase {
  readonly name: string
  readonly title: string
  readonly method: string
  readonly load: Load
  /** Ours is the first one. */
  readonly contenders: readonly Contender[]
  readonly withPgbench?: boolean
  goals(measured: ReadonlyMap<string, Measurement>): Goal[]
}

/** A case in which servers answer one kind of request, in turns. */
export function requestCase(of: RequestCase): Case {
  return {
    name: of.name,
    title: of.title,
    async run(bench) {
      const url = await bench.database.copy('bench', standardData)
      await using entered = new AsyncDisposableStack()
      const entrants: Entrant[] = []
      for (const contender of of.contenders) entrants.push(entered.use(await enterServer(contender, url, of.load)))
      const pgbench = of.withPgbench ? enterPgbench(url, of.load.connections) : null
      if (pgbench !== null) entrants.push(pgbench)
      const measured = await compare(bench, entrants)
      const notes = of.withPgbench && pgbench === null ? ['pgbench is not installed, and was left out.'] : []
      return { ...report(measured, of.method, of.goals(measured)), notes }
    },
  }
}
