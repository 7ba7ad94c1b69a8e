import { readdirSync, readFileSync } from 'node:fs'

/** What a process and its children have used of the processor so far, in microseconds; those that have ended included. */
export function cpuOf(pid: number): number {
  const childrenOf = Map.groupBy(processes(), ({ parent }) => parent)
  const sum = (of: number): number =>
    (childrenOf.get(of) ?? []).reduce((total, child) => total + child.ticks + sum(child.pid), 0)
  return ((readProcess(pid)?.ticksWithEnded ?? 0) + sum(pid)) * microsecondsPerTick
}

/** The process that started another one. */
export function parentOf(pid: number): number {
  return readProcess(pid)?.parent ?? Number.NaN
}

/** What a process holds of physical memory, in bytes. */
export function residentOf(pid: number): number {
  const [, resident] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')
  return Number(resident) * pageBytes
}

interface Process {
  readonly pid: number
  readonly parent: number
  /** Of itself. */
  readonly ticks: number
  /** With its children that have ended. */
  readonly ticksWithEnded: number
}

/** USER_HZ, the same on every Linux that Node runs on. */
const microsecondsPerTick = 10_000
const pageBytes = 4096

function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((process) => process !== null)
}

/** null when it has just ended. */
function readProcess(pid: number): Process | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [user, system, endedUser, endedSystem] = fields.slice(11, 15).map(Number)
    const ticks = (user ?? 0) + (system ?? 0)
    return { pid, parent: Number(fields[1]), ticks, ticksWithEnded: ticks + (endedUser ?? 0) + (endedSystem ?? 0) }
  } catch {
    return null
  }
}
