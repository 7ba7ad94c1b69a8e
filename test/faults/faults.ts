import type { Fault } from './fault.ts'
import { loadFaults } from './load-faults.ts'
import { networkFaults } from './network-faults.ts'
import { postgresFaults } from './postgres-faults.ts'
import { serverFaults } from './server-faults.ts'

export const faults: readonly Fault[] = [...serverFaults, ...postgresFaults, ...networkFaults, ...loadFaults]
