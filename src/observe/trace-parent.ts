/**
 * The trace that a caller names in `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header, of 2021-11-23);
 * undefined: it names none. For the log, which tells it also where no SDK of OpenTelemetry is.
 */
export function traceIdIn(traceparent: unknown): string | undefined {
  const traceId = typeof traceparent === 'string' ? form.exec(traceparent)?.[1] : undefined
  return traceId === none ? undefined : traceId
}

const form = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/
const none = '0'.repeat(32)
