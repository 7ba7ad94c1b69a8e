import type { Case, Goal } from './case.ts'
import { compare, type Entrant, enterServer, type Load, type Measurement, report } from './compare.ts'
import { type Contender, participants } from './contenders.ts'
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
      for (const contender of participants(of.contenders, bench.options))
        entrants.push(entered.use(await enterServer(contender, url, of.load)))
      const takesPgbench = of.withPgbench && bench.options.against === undefined
      const pgbench = takesPgbench ? enterPgbench(url, of.load.connections) : null
      if (pgbench !== null) entrants.push(pgbench)
      const measured = await compare(bench, entrants)
      const notes = takesPgbench && pgbench === null ? ['pgbench is not installed, and was left out.'] : []
      const goals = bench.options.against === undefined ? of.goals(measured) : []
      return { ...report(measured, of.method, goals), notes }
    },
  }
}
