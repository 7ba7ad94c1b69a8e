import type { Case } from './case.ts'
import { append } from './cases/append.ts'

/** All of them, in the order of the results. */
export const cases: readonly Case[] = [append]
