import type { SettingInForce } from '../config.ts'

/** A number that a server counts, by the name of its metric. */
export interface Figure {
  readonly name: string
  readonly labels: Readonly<Record<string, unknown>>
  readonly value: number
}

/** What one server knows of itself. */
export interface ServerSelf {
  readonly name: string
  readonly version: string
  readonly startedAt: string
  readonly settings: readonly SettingInForce[]
  readonly readFigures: () => Promise<Figure[]>
}
