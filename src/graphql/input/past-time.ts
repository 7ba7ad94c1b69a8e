import type { Viewer } from '../../auth/viewer.ts'
import { toMicroseconds } from '../../entities/timestamp.ts'
import { badInput, forbidden } from '../../errors.ts'

/** Milliseconds by which the clock of an import may be ahead of the server's. */
const clockTolerance = 60_000

/** @throws ApiError BAD_USER_INPUT if the time is before 1970 or in the future */
export function requirePast(path: string, time: string): void {
  const microseconds = toMicroseconds(time)
  // The feed of a list begins with 1970.
  if (microseconds < 0) throw badInput(path, 'must not be before 1970.')
  if (microseconds > (Date.now() + clockTolerance) * 1_000) throw badInput(path, 'must not be in the future.')
}

/** @throws ApiError FORBIDDEN if this caller may not say when something was created */
export function requireBringer(path: string, { mayBringTimes }: Viewer): void {
  if (!mayBringTimes) throw forbidden(`${path}: only a caller with the role import may say when something was created.`)
}
