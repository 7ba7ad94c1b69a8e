import type { Input } from './conversation.ts'
import { isRecord, type JsonRecord } from './record.ts'
import type { Told } from './told.ts'

/** Bytes: `MAX_METADATA_BYTES` of a server with default settings. */
const limit = 16 * 1024

/**
 * The metadata that keeps what the API has no field for, under the name of its format. While it is larger than a server
 * takes, its largest field is left out and told.
 */
export function keepRest(format: string, rest: JsonRecord, told: Told): Input {
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  if (Object.keys(given).length === 0) return {}
  return fit({ [format]: given }, told)
}

/** Metadata that is small enough. */
export function fit(metadata: JsonRecord, told: Told): Input {
  if (bytesOf(metadata) <= limit) return metadata
  const fitting = structuredClone(metadata)
  while (bytesOf(fitting) > limit) {
    const path = dropLargest(fitting)
    told.note(`field ${path}: left out, because metadata has room for ${limit} bytes`)
  }
  return fitting
}

/** @returns the path of the field that was left out */
function dropLargest(record: JsonRecord): string {
  const [key = ''] = Object.keys(record).sort((a, b) => bytesOf(record[b]) - bytesOf(record[a]))
  const value = record[key]
  if (isRecord(value) && bytesOf(value) > limit / 2) {
    const path = dropLargest(value)
    if (Object.keys(value).length === 0) delete record[key]
    return `${key}.${path}`
  }
  delete record[key]
  return key
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
