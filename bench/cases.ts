import type { Case } from './case.ts'
import { append } from './cases/append.ts'
import { appendHot } from './cases/append-hot.ts'
import { appendOne } from './cases/append-one.ts'
import { backup } from './cases/backup.ts'
import { blocked } from './cases/blocked.ts'
import { citus } from './cases/citus.ts'
import { exportAll } from './cases/export.ts'
import { fairness } from './cases/fairness.ts'
import { fanOut } from './cases/fan-out.ts'
import { growth } from './cases/growth.ts'
import { idle } from './cases/idle.ts'
import { list } from './cases/list.ts'
import { live } from './cases/live.ts'
import { page } from './cases/page.ts'
import { search } from './cases/search.ts'
import { size } from './cases/size.ts'
import { start } from './cases/start.ts'
import { streaming } from './cases/streaming.ts'
import { words } from './cases/words.ts'

/** All of them, in the order of the results. */
export const cases: readonly Case[] = [
  append,
  appendOne,
  appendHot,
  citus,
  page,
  list,
  fairness,
  blocked,
  fanOut,
  live,
  idle,
  streaming,
  backup,
  exportAll,
  growth,
  search,
  words,
  size,
  start,
]
