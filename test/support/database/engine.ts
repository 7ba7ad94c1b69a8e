import { inject } from 'vitest'
import type { Engine } from '../../../src/database/session.ts'

/** What the database of the tests is. What cannot hold on Citus asks this, and says why. */
export const engine: Engine = { spreads: inject('cluster').nodes.length > 1, keepsSettings: true }
